# python: 3.12
# heals: Python <3.12
import socket
import ssl
print(type(ssl.wrap_socket(socket.socket())).__name__)
