import ctypes
ctypes.CDLL("libportaudio.so.2")
