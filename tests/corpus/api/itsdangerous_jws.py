# context: itsdangerous==2.2.0
# heals: itsdangerous <2.1
from itsdangerous import TimedJSONWebSignatureSerializer
print(TimedJSONWebSignatureSerializer("key").dumps({"a": 1}).count(b"."))
