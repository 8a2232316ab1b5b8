# context: requests==2.32.3 urllib3==2.2.3
# heals: urllib3 <2.0
import requests
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry
session = requests.Session()
session.mount("https://", HTTPAdapter(max_retries=Retry(total=3, method_whitelist=["GET"])))
print(len(session.adapters))
