# heals: add tabulate
# runs a small program with the same Python
import subprocess
import sys
CODE = "import tabulate; print(tabulate.tabulate([[1, 2]], tablefmt='plain'))"
subprocess.check_call([sys.executable, "-c", CODE])
print("done")
