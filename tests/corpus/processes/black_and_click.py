# python: 3.9
# context: black==21.12b0 click==8.1.7
# heals: click <8.1
import subprocess
import sys
with open("ugly.py", "w") as ugly:
    ugly.write("x=1\n")
subprocess.check_call([sys.executable, "-m", "black", "-q", "ugly.py"])
print(open("ugly.py").read().strip())
