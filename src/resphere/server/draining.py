"""A server that is about to end says so for a while, and goes on meanwhile: balancers send it nothing new then."""

from __future__ import annotations

import mmap


class Draining:
    """Whether it has begun, as all processes of a server see it that were forked from one."""

    def __init__(self) -> None:
        self._shared = mmap.mmap(-1, 1)

    @property
    def begun(self) -> bool:
        """Whether the server is about to end."""
        return self._shared[0] != 0

    def begin(self) -> None:
        """Let all know."""
        self._shared[0] = 1
