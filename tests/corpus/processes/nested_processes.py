# heals: add pytz
import subprocess
import sys
inner = "import pytz; print(pytz.utc)"
outer = "import subprocess, sys; sys.exit(subprocess.call([sys.executable, '-c', %r]))" % inner
sys.exit(subprocess.call([sys.executable, "-c", outer]))
