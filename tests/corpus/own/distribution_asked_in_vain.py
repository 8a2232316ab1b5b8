import importlib.metadata
try:
    version = importlib.metadata.version("tabulate")
except importlib.metadata.PackageNotFoundError:
    version = "0"
assert version == "1", version
