# context: rich==13.7.1
# heals: rich 13.4.2
# predicted: only
#
# pip install rich==13.4.2
import importlib.metadata
print(importlib.metadata.version("rich") == "13.4.2")
assert importlib.metadata.version("rich").startswith("13.4")
