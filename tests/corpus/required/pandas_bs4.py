# context: pandas==2.2.3 numpy==1.26.4 beautifulsoup4==4.9.3 html5lib==1.1
# heals: beautifulsoup4 >=4.11.2
import io
import pandas as pd
page = "<table><tr><th>a</th></tr><tr><td>1</td></tr></table>"
print(pd.read_html(io.StringIO(page), flavor="bs4")[0]["a"].tolist())
