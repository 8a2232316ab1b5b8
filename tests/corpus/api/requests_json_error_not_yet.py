# context: requests==2.26.0
# heals: requests >=2.27
from requests.exceptions import JSONDecodeError
try:
    raise JSONDecodeError("not so", "{", 0)
except ValueError as error:
    print(type(error).__name__)
