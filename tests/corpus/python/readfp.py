# python: 3.12
# heals: Python >=3.2, <3.12
import configparser
import io
settings = configparser.ConfigParser()
settings.readfp(io.StringIO("[a]\nb = 1\n"))
print(settings.get("a", "b"))
