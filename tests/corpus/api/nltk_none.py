# context: xlrd==2.0.1 openpyxl==3.1.5
# heals: own
import openpyxl
openpyxl.Workbook().no_such_sheet_at_all
