"""When a server has committed: it tells all who listen as soon as it has, and this is one of them."""

from __future__ import annotations

import os
from pathlib import Path

from bench.arrivals import NOTE_BYTES, arrival, have_noted
from bench.client import Unexpected
from resphere.store.sqlite.bells import FOLDER, address_of, new_socket
from resphere.store.sqlite.schema import WriterLock


class Commits:
    """The latest of the store in the file ``database``, which a server on this machine has open."""

    def __init__(self, database: Path) -> None:
        folder = database.parent / FOLDER
        folder.mkdir(mode=0o700, exist_ok=True)
        name = f"{os.getpid()}-bench"
        self._path = folder / name
        self._bell = new_socket()
        have_noted(self._bell)
        with address_of(folder, name) as address:
            self._bell.bind(address)
        lock = WriterLock(database)
        lock.listeners = int.from_bytes(os.urandom(8))
        lock.close()

    def take(self) -> list[float]:
        """Those since the last time, in seconds of Unix time; of many the first ten."""
        found: list[float] = []
        while True:
            try:
                _, notes, _, _ = self._bell.recvmsg(1, NOTE_BYTES)
            except BlockingIOError:
                return found
            moment = arrival(notes)
            if moment is not None:
                found.append(moment)

    def of(self, heard: float) -> float:
        """When that was committed, after :meth:`take`, of which somebody else heard at that moment.

        The server tells one after the other: where it has told somebody else so long before, it is that moment.

        :raises Unexpected: it has told of no commit at all.
        """
        found = self.take()
        if not found:
            raise Unexpected("the server has told of no commit")
        return max((each for each in found if each <= heard), default=heard)

    def close(self) -> None:
        """Listen no more."""
        self._bell.close()
        self._path.unlink()
