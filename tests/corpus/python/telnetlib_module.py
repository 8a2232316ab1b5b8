# python: 3.13
# heals: Python <3.13
import telnetlib
print(telnetlib.IAC)
