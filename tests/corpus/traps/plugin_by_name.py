import importlib
for plugin in ("json", "reportes"):
    importlib.import_module(plugin)
