# context: rich==13.7.1
# heals: rich 13.4.2
import importlib.metadata
assert importlib.metadata.version("rich") == "13.4.2"
print("exact")
