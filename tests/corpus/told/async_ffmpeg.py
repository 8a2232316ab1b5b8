import asyncio


async def main():
    process = await asyncio.create_subprocess_exec("ffmpeg", "-version")
    await process.wait()


asyncio.run(main())
