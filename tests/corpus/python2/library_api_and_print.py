# heals: Python ==2.7.*; add pandas
import pandas as pd
frame = pd.DataFrame({"a": [1, 2], "b": [3, 4]})
for name, column in frame.iteritems():
    print name, column.sum()
print frame.as_matrix().tolist()
