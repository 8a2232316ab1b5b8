# heals: add python-dateutil
import dateutil.parser
print(dateutil.parser.parse("2020-01-02").year)
