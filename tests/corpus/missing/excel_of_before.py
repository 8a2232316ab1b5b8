# python: 3.8
# context: pandas==1.1.5 numpy==1.19.5 xlwt==1.3.0
# heals: add xlrd
import pandas as pd
import xlwt
book = xlwt.Workbook()
book.add_sheet("first").write(0, 0, "a")
book.save("book.xls")
print(list(pd.read_excel("book.xls").columns))
