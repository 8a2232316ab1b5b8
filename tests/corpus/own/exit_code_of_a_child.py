import subprocess
import sys
sys.exit(subprocess.call([sys.executable, "-c", "import sys; sys.exit('no input')"], stdout=subprocess.DEVNULL))
