# heals: add pyyaml
import os
import sys
code = os.system("'%s' -c 'import yaml; print(yaml.safe_load(\"b: 2\"))'" % sys.executable)
if code:
    raise SystemExit("it failed")
