# context: pandas==2.2.3
# heals: pandas <2.0; numpy <2
import pandas as pd
print(list(pd.Series([1]).append(pd.Series([2]))))
