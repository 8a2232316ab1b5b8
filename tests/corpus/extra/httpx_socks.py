# context: httpx==0.27.2
# heals: httpx[socks]
import httpx
print(httpx.Client(proxy="socks5://127.0.0.1:9").__class__.__name__)
