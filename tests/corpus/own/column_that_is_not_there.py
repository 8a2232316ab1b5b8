# context: pandas==2.2.3 numpy==1.26.4
# heals: own
# its own data, and not its environment
import pandas as pd
pd.DataFrame({"a": [1]})["b"]
