# context: requests==2.32.3
# heals: add pysocks
import requests
try:
    requests.get("http://127.0.0.1:9/", proxies={"http": "socks5://127.0.0.1:9"}, timeout=1)
except requests.exceptions.ConnectionError:
    print("no proxy")
