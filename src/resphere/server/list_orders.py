"""Orders of lists that are paged by ``$orderby``, kept in files that all workers read: what later pages go on in.

An order holds identifiers and the values that they are in order of, and is named by what it holds: the same one is
written once, whoever asks. Whose list it is does not matter: a page shows what its caller's own list has, and takes
nothing but the order from here. Orders are worth no ``fsync``: a cursor whose order is gone is refused, and its client
begins again.
"""

from __future__ import annotations

import asyncio
import os
import re
import threading
from collections.abc import Callable, Sequence
from hashlib import blake2b
from pathlib import Path

import msgspec
from isal import isal_zlib

from resphere.queries.ordering import Column, placed

FOLDER = "list-orders"
KEPT_SECONDS = 3600.0
MOST_BYTES = 64 * 1024 * 1024
"""Of all files together; the oldest go."""
WRITES_BETWEEN_TIDYING = 16
MOST_REMEMBERED = 8
"""Orders that a worker has in memory."""
NAME = re.compile(r"[0-9a-f]{32}")


class Kept(msgspec.Struct, frozen=True, array_like=True):
    """What a file holds."""

    identifiers: Sequence[str]
    columns: Sequence[Column]


class KeptOrders:
    """See :class:`resphere.queries.cursors.Orders`, which this is. ``clock`` gives seconds since the epoch."""

    def __init__(self, folder: Path, clock: Callable[[], float]) -> None:
        self._folder = folder
        self._clock = clock
        self._remembered: dict[str, list[str]] = {}
        self._writes = 0

    async def keep(self, identifiers: Sequence[str], columns: Sequence[Column]) -> str:
        """Keep the identifiers in the order of these columns; returns its name.

        What they are in order of is kept, and put in order when somebody goes on: most clients read one page.

        :raises OSError: it cannot be written.
        """
        content = msgspec.msgpack.encode(Kept(identifiers, columns))
        name = blake2b(content, digest_size=16).hexdigest()
        await asyncio.to_thread(self._write, name, content)
        return name

    async def find(self, name: str) -> list[str] | None:
        """The order of that name, ``None`` where it is kept no more."""
        if not NAME.fullmatch(name):
            return None
        found = self._remembered.get(name)
        if found is None:
            kept = await asyncio.to_thread(self._read, name)
            if kept is not None:
                places = await placed(len(kept.identifiers), kept.columns)
                found = [kept.identifiers[place] for place in places]
        if found is not None:
            self._remember(name, found)
        return found

    def _remember(self, name: str, identifiers: list[str]) -> None:
        self._remembered.pop(name, None)
        self._remembered[name] = identifiers  # at the end: what was used last is the last to go
        while len(self._remembered) > MOST_REMEMBERED:
            del self._remembered[next(iter(self._remembered))]

    def _write(self, name: str, content: bytes) -> None:
        place, now = self._folder / name, self._clock()
        if not place.exists():
            self._folder.mkdir(mode=0o700, exist_ok=True)
            unfinished = place.with_name(f"{name}.{os.getpid()}.{threading.get_ident()}")
            unfinished.write_bytes(isal_zlib.compress(content, 1))
            unfinished.replace(place)
        os.utime(place, (now, now))
        self._writes += 1
        if self._writes % WRITES_BETWEEN_TIDYING == 1:
            self._tidy(now)

    def _read(self, name: str) -> Kept | None:
        place, now = self._folder / name, self._clock()
        try:
            content = isal_zlib.decompress(place.read_bytes())
            os.utime(place, (now, now))
        except FileNotFoundError:
            return None
        return msgspec.msgpack.decode(content, type=Kept)

    def _tidy(self, now: float) -> None:
        """Delete what nobody has used for long, and the oldest where there is too much."""
        files = sorted(((path, path.stat()) for path in self._folder.iterdir()), key=lambda each: -each[1].st_mtime)
        size_bytes = 0
        for path, status in files:
            size_bytes += status.st_size
            if size_bytes > MOST_BYTES or now - status.st_mtime > KEPT_SECONDS:
                path.unlink(missing_ok=True)
