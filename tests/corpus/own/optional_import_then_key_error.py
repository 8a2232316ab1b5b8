# What it does without is not what it fails of.
try:
    import ujson as json
except ImportError:
    import json
print(json.loads("{}")["missing"])
