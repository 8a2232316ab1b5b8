# context: pandas==2.2.3
# heals: pandas <2.0; numpy <2
import pandas as pd
frame = pd.DataFrame({"a": [1]})
print(len(frame.append({"a": 2}, ignore_index=True)))
