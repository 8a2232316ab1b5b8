# context: httpx==0.27.2
# heals: httpx[http2]
import httpx
print(httpx.Client(http2=True).__class__.__name__)
