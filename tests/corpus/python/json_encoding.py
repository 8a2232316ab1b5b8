# heals: Python <3.9
import json
print(json.loads('{"a": 1}', encoding="utf-8"))
