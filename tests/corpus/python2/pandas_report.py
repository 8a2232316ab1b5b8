# heals: Python <3; add pandas
import StringIO
import pandas as pd

text = StringIO.StringIO("name,score\nana,3\nbob,5\n")
frame = pd.read_csv(text)
print(frame.sort_values("score").ix[1]["name"])
