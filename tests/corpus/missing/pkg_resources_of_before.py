# python: 3.12
# context: setuptools==82.0.0
# heals: setuptools <82.0
import pkg_resources
print(pkg_resources.parse_version("1.0") < pkg_resources.parse_version("2.0"))
