import ctypes
import sys


def load():
    if sys.platform == "darwin":
        return ctypes.CDLL("libsndfile.dylib")
    return ctypes.CDLL("libsndfile.so.1")


print(load())
