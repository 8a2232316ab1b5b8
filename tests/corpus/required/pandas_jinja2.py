# context: pandas==2.2.3 numpy==1.26.4 jinja2==3.0.3
# heals: jinja2 >=3.1.2
import pandas as pd
frame = pd.DataFrame({"a": [1, 2]})
print(frame.style.to_html(uuid="x").count("<td"))
