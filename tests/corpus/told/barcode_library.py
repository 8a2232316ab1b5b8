"""Reads barcodes as scripts did before there were wheels: by the library itself."""
import ctypes
zbar = ctypes.cdll.LoadLibrary("libzbar.so.0")
print(zbar.zbar_version)
