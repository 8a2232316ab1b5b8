# heals: add cachetools
from concurrent.futures import ThreadPoolExecutor


def cache():
    import cachetools
    return cachetools.LRUCache(2).maxsize


with ThreadPoolExecutor(1) as executor:
    print(executor.submit(cache).result())
