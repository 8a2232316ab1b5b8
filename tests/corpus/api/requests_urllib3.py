# context: urllib3==2.2.3
# heals: urllib3 <2.0
from urllib3.util.ssl_ import DEFAULT_CIPHERS
print(len(DEFAULT_CIPHERS) > 0)
