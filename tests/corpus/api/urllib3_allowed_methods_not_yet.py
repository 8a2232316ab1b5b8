# context: urllib3==1.25.11
# heals: urllib3 >=1.26
from urllib3.util.retry import Retry
retries = Retry(total=3, backoff_factor=1, allowed_methods=["GET", "POST"])
print(retries.total)
