# context: idna==3.7
# heals: idna ==2.10.*
import idna
assert idna.__version__.startswith("2.10"), "old idna"
print("starts with")
