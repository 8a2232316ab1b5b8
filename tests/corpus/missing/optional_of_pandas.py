# context: pandas==2.2.3
# heals: add openpyxl
import pandas
pandas.DataFrame({"a": [1]}).to_excel("/dev/null", engine="openpyxl")
print("written")
