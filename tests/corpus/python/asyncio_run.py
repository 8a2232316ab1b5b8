# python: 3.6
# heals: Python >=3.7
import asyncio


async def main():
    print("ran")


asyncio.run(main())
