# python: 3.11
# heals: Python <3
import ConfigParser
print(ConfigParser.ConfigParser().sections())
