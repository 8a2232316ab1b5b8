# heals: Python >=3.4, <3.11
import asyncio


@asyncio.coroutine
def work():
    yield from asyncio.sleep(0)
    return 1


print(asyncio.get_event_loop().run_until_complete(work()))
