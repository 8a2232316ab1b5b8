# context: flask==2.3.3
from flask import request
print(request.args)
