# context: flask==2.3.3
# heals: flask <2.3
from flask.json import JSONEncoder
print(JSONEncoder().encode([1]))
