# context: pandas==2.2.3
# heals: pandas <0.25
import pandas as pd
print(pd.Panel.__name__)
