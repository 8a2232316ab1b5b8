# python: 3.12
# heals: Python <3.12
import locale
print(locale.format("%d", 1234))
