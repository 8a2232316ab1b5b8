# context: pandas==2.2.3 numpy==1.26.4
# heals: pandas <2.0
import subprocess
import sys
with open("read.py", "w") as script:
    script.write("import io\nimport pandas as pd\nprint(len(pd.read_csv(io.StringIO('a\\n1\\n'), error_bad_lines=False)))\n")
print(subprocess.check_output([sys.executable, "read.py"], stderr=subprocess.DEVNULL, text=True).strip())
