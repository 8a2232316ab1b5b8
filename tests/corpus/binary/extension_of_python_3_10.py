# heals: Python ==3.10.*
import glob
import os
import shutil
import sys
# An extension module as somebody else's build left it beside the script.
pythons = os.path.dirname(sys.base_prefix)
built = glob.glob(os.path.join(pythons, "3.10.*", "lib", "python3.10", "lib-dynload", "_heapq.*.so"))
os.makedirs("fast", exist_ok=True)
open("fast/__init__.py", "w").close()
shutil.copy(built[0], "fast")
from fast._heapq import heappush
print(heappush.__name__)
