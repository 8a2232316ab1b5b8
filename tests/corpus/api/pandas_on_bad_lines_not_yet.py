# python: 3.9
# context: pandas==1.2.5 numpy==1.22.4
# heals: pandas >=1.3
import io
import pandas as pd
print(len(pd.read_csv(io.StringIO("a,b\n1,2\n1,2,3\n"), on_bad_lines="skip")))
