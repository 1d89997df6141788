"""A process that is alive until it is killed: ``alive.py <url> <name>``. It says so when others can see it."""

from __future__ import annotations

import asyncio
import sys

from resphere.store.engines import open_store


async def main(url: str, name: str) -> None:
    store = await open_store(url)
    liveness = await store.liveness(name)
    contents = await store.contents("large", liveness)
    async with contents.write() as finished:
        await finished.write(b"finished")
        await finished.finish()
    async with contents.write() as writing:
        await writing.write(b"unfinished")
        sys.stdout.write(f"{finished.name}\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
