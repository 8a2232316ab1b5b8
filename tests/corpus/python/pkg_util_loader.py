# python: 3.12
# context: setuptools==60.10.0
# heals: Python <3.12
import pkg_resources
print(pkg_resources.parse_version("1.0") < pkg_resources.parse_version("2.0"))
