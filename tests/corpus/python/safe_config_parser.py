# python: 3.12
# heals: Python >=3.2, <3.12
from configparser import SafeConfigParser
print(SafeConfigParser().sections())
