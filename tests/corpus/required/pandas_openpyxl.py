# context: pandas==2.2.3 numpy==1.26.4 openpyxl==3.0.10
# heals: openpyxl >=3.1.0
import openpyxl
import pandas as pd
book = openpyxl.Workbook()
book.active.append(["a", "b"])
book.active.append([1, 2])
book.save("book.xlsx")
print(pd.read_excel("book.xlsx")["b"].tolist())
