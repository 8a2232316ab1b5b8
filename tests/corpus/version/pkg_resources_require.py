# context: setuptools==69.5.1 idna==3.7
# heals: idna <3
import pkg_resources
pkg_resources.require("idna<3")
print("required")
