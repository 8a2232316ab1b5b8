# context: pyparsing==3.1.4 packaging==24.1
# heals: packaging <22.0
from packaging.version import LegacyVersion
print(LegacyVersion("x") is not None)
