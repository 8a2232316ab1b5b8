# context: pandas==2.2.3
# heals: pandas <2.0; numpy <2
import io
import pandas as pd
print(len(pd.read_csv(io.StringIO("a,b\n1,2\n1,2,3\n"), error_bad_lines=False)))
