# python: 3.10
# context: redis==3.5.3
# heals: redis >=4.2
import redis.asyncio as aioredis
print(aioredis.Redis.__name__)
