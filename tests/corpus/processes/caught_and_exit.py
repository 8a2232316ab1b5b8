# heals: add requests
import sys
try:
    import requests
except ImportError:
    print("This program needs requests. Install it with: pip install requests")
    sys.exit(1)
print(requests.__name__)
