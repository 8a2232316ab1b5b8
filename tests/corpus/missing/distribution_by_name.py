# heals: add rich
import importlib.metadata
print(importlib.metadata.version("rich") > "1")
