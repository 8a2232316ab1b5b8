# context: werkzeug==2.3.8
# heals: werkzeug <1.0
from werkzeug.contrib.cache import SimpleCache
cache = SimpleCache()
cache.set("a", 1)
print(cache.get("a"))
