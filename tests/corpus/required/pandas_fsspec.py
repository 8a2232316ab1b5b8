# context: pandas==2.2.3 numpy==1.26.4 fsspec==2021.11.0
# heals: fsspec >=2022.11.0
import fsspec
import pandas as pd
with fsspec.open("memory://a.csv", "w") as file:
    file.write("a\n1\n")
print(len(pd.read_csv("memory://a.csv")))
