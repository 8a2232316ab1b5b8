import subprocess
import sys
CODE = "try:\n    import tabulate\nexcept ImportError:\n    tabulate = None\nraise SystemExit(3)"
sys.exit(subprocess.call([sys.executable, "-c", CODE]))
