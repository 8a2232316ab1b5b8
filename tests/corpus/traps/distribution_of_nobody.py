import importlib.metadata
print(importlib.metadata.version("acme-billing-client"))
