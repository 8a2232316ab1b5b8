# context: CacheControl==0.13.1
# heals: add filelock
import tempfile
from cachecontrol.caches import FileCache
cache = FileCache(tempfile.mkdtemp())
cache.set("a", b"1")
print(cache.get("a"))
