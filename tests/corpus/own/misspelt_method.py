# context: pandas==2.2.3
import pandas as pd
pd.DataFrame({"a": [1]}).apend({})
