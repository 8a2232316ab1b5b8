# context: idna==3.7
# heals: idna ==2.*
import idna
assert tuple(int(part) for part in idna.__version__.split(".")[:1]) == (2,)
print("tuple")
