# context: pandas==2.2.3 numpy==1.26.4
import pandas as pd


class Table(pd.DataFrame):
    def append(self, other):
        raise RuntimeError("its own append")


Table({"a": [1]}).append(None)
