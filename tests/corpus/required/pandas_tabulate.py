# context: pandas==2.2.3 numpy==1.26.4 tabulate==0.8.10
# heals: tabulate >=0.9.0
import pandas as pd
print(pd.DataFrame({"a": [1]}).to_markdown(index=False).splitlines()[-1])
