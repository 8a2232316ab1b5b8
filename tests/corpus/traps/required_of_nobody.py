# context: setuptools==69.5.1
import pkg_resources
pkg_resources.require("acme-billing-client>=2")
