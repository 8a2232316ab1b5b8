# context: pandas==2.0.3 numpy==1.26.4
# heals: pandas >=2.1
import pandas as pd
frame = pd.DataFrame({"a": [1, 2], "b": [3, 4]})
print(frame.map(lambda x: x * 2).values.tolist())
