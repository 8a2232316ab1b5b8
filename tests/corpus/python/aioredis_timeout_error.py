# context: redis==4.6.0 aioredis==2.0.1
# heals: Python <3.11
import aioredis
print(aioredis.from_url("redis://127.0.0.1:9").__class__.__name__)
