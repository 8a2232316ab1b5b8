# python: 3.12
# heals: Python >=3.4, <3.11
import asyncio


@asyncio.coroutine
def answer():
    yield from asyncio.sleep(0)
    return 42


print(asyncio.get_event_loop().run_until_complete(answer()))
