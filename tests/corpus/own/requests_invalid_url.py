# context: requests==2.32.3
import requests
requests.get("no-such-address")
