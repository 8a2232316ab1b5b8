# python: 3.6
# context: plotly==3.10.0 pandas==1.1.5 numpy==1.19.5
# heals: plotly >=4.0
import plotly.express as px
print(callable(px.scatter))
