"""The number of this process, for those who ask for it thousands of times a second: without a call of the system."""

from __future__ import annotations

import os


class ThisProcess:
    """``pid`` is the number, in forked children too."""

    __slots__ = ("pid",)

    def __init__(self) -> None:
        self.pid = os.getpid()
        os.register_at_fork(after_in_child=self._forked)

    def _forked(self) -> None:
        self.pid = os.getpid()


THIS_PROCESS = ThisProcess()
