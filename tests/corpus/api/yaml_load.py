# context: PyYAML==6.0.2
# heals: pyyaml <6
import yaml
print(yaml.load("a: 1"))
