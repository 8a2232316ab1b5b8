# heals: add ruamel-yaml
from ruamel.yaml import YAML
print(YAML(typ="safe", pure=True).load("a: 1"))
