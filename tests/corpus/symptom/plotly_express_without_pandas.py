# context: plotly==5.18.0
# heals: add pandas
import plotly.express as px
print(callable(px.scatter))
