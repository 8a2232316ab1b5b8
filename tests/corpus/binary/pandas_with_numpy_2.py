# python: 3.11
# context: pandas==2.0.3 numpy==2.0.2
# heals: numpy <2
import pandas
print(len(pandas.DataFrame({"a": [1]})))
