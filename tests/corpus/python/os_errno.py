# heals: Python <3.7
import os
try:
    os.listdir("no such folder")
except OSError as error:
    print(error.errno == os.errno.ENOENT)
