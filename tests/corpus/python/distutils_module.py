# python: 3.12
# heals: add setuptools
from distutils.version import LooseVersion
print(LooseVersion("1.2") < LooseVersion("1.10"))
