# context: xlrd==2.0.1 openpyxl==3.1.5
# heals: xlrd <2.0
# an old importer of spreadsheets
import openpyxl
import xlrd
book = openpyxl.Workbook()
book.active["A1"] = 7
book.save("book.xlsx")
print(xlrd.open_workbook("book.xlsx").sheet_by_index(0).cell_value(0, 0))
