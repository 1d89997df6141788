"""A command at a terminal of its own: what it shows there, and what is typed."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Mapping
from types import TracebackType

from tests.support.server import clean_environment

SECONDS = 60
ORDERS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
"""What moves the cursor and changes colors."""


class Terminal:
    """``resphere <arguments>`` at a terminal of so many columns."""

    def __init__(self, *arguments: str, environment: Mapping[str, str], columns: int = 80) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        inherited = {
            name: text for name, text in clean_environment().items() if name not in ("COLUMNS", "LINES", "NO_COLOR")
        }
        self._process = subprocess.Popen(
            [sys.executable, "-m", "resphere", *arguments],
            env={**inherited, "TERM": "xterm-256color", **environment},
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
        )
        os.close(slave)
        self.shown = ""

    def expect(self, text: str) -> None:
        """Wait until it shows a text."""
        deadline = time.monotonic() + SECONDS
        while text not in self.text and self._read(deadline):
            pass
        assert text in self.text, self.shown

    def enter(self, line: str) -> None:
        """Type a line."""
        os.write(self._master, line.encode() + b"\n")

    def wait(self) -> int:
        """Wait until it has ended; returns the status."""
        deadline = time.monotonic() + SECONDS
        while self._read(deadline):
            pass
        return self._process.wait(SECONDS)

    @property
    def text(self) -> str:
        """What it has shown, without orders to the terminal."""
        return ORDERS.sub("", self.shown).replace("\r\n", "\n")

    def _read(self, deadline: float) -> bool:
        """Read more; false where nothing more comes."""
        if not select.select([self._master], [], [], max(0.0, deadline - time.monotonic()))[0]:
            return False
        try:
            piece = os.read(self._master, 65536)
        except OSError:  # Linux says so of a terminal that nobody writes to any more
            return False
        self.shown += piece.decode(errors="replace")
        return bool(piece)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        os.close(self._master)


def at_terminal(*arguments: str, environment: Mapping[str, str], columns: int = 80) -> tuple[int, str, str]:
    """``(status, what was shown, the same without orders)`` of a command that asks nothing."""
    with Terminal(*arguments, columns=columns, environment=environment) as terminal:
        status = terminal.wait()
        return status, terminal.shown, terminal.text
