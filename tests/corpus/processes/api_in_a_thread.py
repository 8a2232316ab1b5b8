# context: pandas==2.2.3 numpy==1.26.4
# heals: pandas <2.0
from concurrent.futures import ThreadPoolExecutor
import pandas as pd


def grow(frame):
    return len(frame.append({"a": 2}, ignore_index=True))


with ThreadPoolExecutor(2) as executor:
    print(list(executor.map(grow, [pd.DataFrame({"a": [1]})])))
