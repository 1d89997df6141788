"""Opens a new store on a disk with little room, once for each amount: ``full_disk.py <folder> <KiB> <KiB> ...``.

The folder becomes a file system of the last amount for this process, which needs the right to mount one. A line for
each says how the process that tried ended: ``24 made``, ``24 refused``, ``24 killed by 7``.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

from resphere.store.base import StoreError
from resphere.store.engines import default_url, open_store
from tests.store.contract import put, transaction


async def fill(folder: Path) -> None:
    """Open and close a store that has a key and a document."""
    store = await open_store(default_url(folder))
    try:
        await store.keys.get("secrets", 32)
        await store.commit(transaction(put("1")))
    finally:
        await store.close()


def attempt(folder: Path) -> int:
    """0 where it was made, 1 where it was refused."""
    try:
        asyncio.run(fill(folder))
    except StoreError:
        return 1
    return 0


def main(folder: Path, amounts: list[int]) -> None:
    """Try each amount in a process of its own."""
    size = amounts[-1]
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}k", "tmpfs", folder], check=True)
    for amount in amounts:
        (folder / "rest").write_bytes(bytes(1024 * (size - amount)))
        place = folder / str(amount)
        place.mkdir()
        child = os.fork()
        if child == 0:
            os._exit(attempt(place))
        _, status = os.waitpid(child, 0)
        code = os.waitstatus_to_exitcode(status)
        sys.stdout.write(f"{amount} {('made', 'refused')[code] if code >= 0 else f'killed by {-code}'}\n")
        subprocess.run(["rm", "-r", place, folder / "rest"], check=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), [int(each) for each in sys.argv[2:]])
