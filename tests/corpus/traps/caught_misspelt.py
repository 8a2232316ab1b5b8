import sys
try:
    import requsts
except ImportError:
    sys.exit("pip install requsts")
