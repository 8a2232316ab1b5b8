# python: 3.8
# heals: Python >=3.9
from zoneinfo import ZoneInfo
print(ZoneInfo.__name__)
