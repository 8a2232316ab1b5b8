# context: pandas==1.5.3 numpy==1.26.4 sqlalchemy==2.0.35
# heals: sqlalchemy <2.0
import pandas as pd
from sqlalchemy import create_engine
engine = create_engine("sqlite://")
pd.DataFrame({"a": [1, 2]}).to_sql("t", engine, index=False)
print(pd.read_sql("select sum(a) as s from t", engine)["s"][0])
