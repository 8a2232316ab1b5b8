# context: pandas==2.2.3 numpy==1.26.4
import pandas as pd
pd.DataFrame({"a": [1]}).to_csv("/dev/null", separator=";")
