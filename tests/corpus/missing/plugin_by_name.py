# heals: add tabulate
import importlib
module = importlib.import_module("tabulate")
print(module.tabulate([[1]], tablefmt="plain"))
