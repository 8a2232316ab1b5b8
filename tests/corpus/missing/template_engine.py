# context: pandas==2.2.3 numpy==1.26.4
# heals: add jinja2
import pandas as pd
print(pd.DataFrame({"a": [1]}).style.to_html(uuid="x").count("<td"))
