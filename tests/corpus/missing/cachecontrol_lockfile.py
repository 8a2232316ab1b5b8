# context: CacheControl==0.12.14
# heals: add lockfile
import tempfile
from cachecontrol.caches import FileCache
cache = FileCache(tempfile.mkdtemp())
cache.set("a", b"1")
print(cache.get("a"))
