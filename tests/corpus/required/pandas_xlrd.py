# context: pandas==2.2.3 numpy==1.26.4 xlrd==1.2.0 xlwt==1.3.0
# heals: xlrd >=2.0.1
import pandas as pd
import xlwt
book = xlwt.Workbook()
sheet = book.add_sheet("first")
sheet.write(0, 0, "a")
sheet.write(1, 0, 7)
book.save("book.xls")
print(pd.read_excel("book.xls")["a"].tolist())
