# heals: Python ==2.7.*; add requests
# its own part is written for Python 2 too
with open("part.py", "w") as part:
    part.write("import requests\nprint 'part of', requests.__name__\n")
import part
