"""A process that says that it lives, and commits whenever it is told to: ``stopped.py <url> <name>``."""

from __future__ import annotations

import asyncio
import sys

from resphere.store.base import StoreError
from resphere.store.engines import open_store
from tests.store.contract import put, transaction


def say(line: object) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


async def main(url: str, name: str) -> None:
    store = await open_store(url)
    liveness = await store.liveness(name)
    say("alive")
    for word in iter(sys.stdin.readline, ""):
        try:
            say(await store.commit(transaction(put(word.strip()))))
        except StoreError as error:
            say(error)
    await liveness.release()
    await store.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
