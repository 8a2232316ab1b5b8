# context: setuptools==69.5.1
# heals: add tabulate
# an old command's own start
import pkg_resources
print(pkg_resources.require("tabulate")[0].project_name)
