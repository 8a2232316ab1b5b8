# heals: Python ==2.7.*; add redis
import redis

r = redis.StrictRedis(host="127.0.0.1", port=9, socket_timeout=1)
try:
    r.incr("counter")
except redis.ConnectionError, error:
    print "no server"
