# python: 3.12
# heals: add setuptools
import pkg_resources
print(pkg_resources.parse_version("1.0") < pkg_resources.parse_version("2.0"))
