# context: PyYAML==6.0.2
import yaml
yaml.safe_load("a: [1")
