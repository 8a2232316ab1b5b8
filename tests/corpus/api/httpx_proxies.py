# context: httpx==0.28.1
# heals: httpx <0.28
import httpx
with httpx.Client(proxies=None, timeout=1) as client:
    print(type(client).__name__)
