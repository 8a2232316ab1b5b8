# context: websockets==10.4
# heals: websockets >=11.0
from websockets.sync.client import connect
print(callable(connect))
