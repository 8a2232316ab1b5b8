# heals: Python ==2.7.*
import os
open("a.txt", "w").close()
os.chmod("a.txt", 0644)
print oct(os.stat("a.txt").st_mode & 0777)
