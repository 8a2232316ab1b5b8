import subprocess
import sys
sys.exit(subprocess.call([sys.executable, "-c", "import numppy"]))
