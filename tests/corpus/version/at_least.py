# context: attrs==21.4.0
# heals: add packaging; attrs >=23.1.0
import attr
from packaging.version import Version  # noqa: also missing
assert Version(attr.__version__) >= Version("23.1.0")
print("at least")
