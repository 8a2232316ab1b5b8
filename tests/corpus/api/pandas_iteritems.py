# context: pandas==2.2.3
# heals: pandas <2.0; numpy <2
import pandas as pd
print([name for name, _ in pd.DataFrame({"a": [1]}).iteritems()])
