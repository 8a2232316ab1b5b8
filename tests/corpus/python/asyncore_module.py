# python: 3.13
# heals: Python <3.12
import asyncore
print(asyncore.socket_map)
