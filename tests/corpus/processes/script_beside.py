# heals: add pyyaml
import subprocess
import sys
with open("step.py", "w") as step:
    step.write("import yaml\nprint(yaml.safe_load('a: 1'))\n")
print(subprocess.check_output([sys.executable, "step.py"], universal_newlines=True).strip())
