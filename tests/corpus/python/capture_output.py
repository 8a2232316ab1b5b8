# python: 3.6
# heals: Python >=3.7
import subprocess
print(subprocess.run(["echo", "a"], capture_output=True).stdout)
