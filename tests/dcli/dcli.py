"""VMware's dcli, unmodified, as people run it: one command at a time, or in its shell."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
from pathlib import Path
from types import TracebackType

from tests.support.server import ADMINISTRATOR, PASSWORD, Server, clean_environment

HERE = Path(__file__).parent
DCLI = HERE.parents[1] / ".cache" / "dcli" / "venv" / "bin" / "dcli"
SECONDS = 120
AS_ADMINISTRATOR = ("+username", ADMINISTRATOR, "+password", PASSWORD)
CONTROL = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")
"""What moves the cursor and colours words."""
WHERE_IS_THE_CURSOR, THERE = b"\x1b[6n", b"\x1b[1;1R"
INTERRUPT = "\x03"


class Failed(Exception):
    """What dcli said when a command failed."""


class Dcli:
    """dcli with a home of its own, and a server whose certificate it verifies."""

    def __init__(self, server: Server, home: Path) -> None:
        self._always = (
            "+server",
            f"https://localhost:{server.port}/api",
            "+cacert-file",
            str(server.ca),
            "+credstore-file",
            str(home / "credentials"),
        )
        self._environment = clean_environment() | {
            "HOME": str(home),
            "PYTHONPATH": str(HERE / "older_python"),
            "PYTHONWARNINGS": "ignore",
            "TERM": "xterm",
        }

    def run(self, *arguments: str) -> str:
        """What a command prints.

        :raises Failed: the command did.
        """
        done = subprocess.run(
            [DCLI, *self._always, *arguments],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        if done.returncode != 0:
            raise Failed(CONTROL.sub("", done.stdout + done.stderr))
        return CONTROL.sub("", done.stdout)

    def logged_in(self, *arguments: str) -> str:
        """What a command prints that the administrator gives."""
        return self.run(*AS_ADMINISTRATOR, *arguments)

    def shell(self) -> Shell:
        """The interactive shell."""
        return Shell([str(DCLI), *self._always, "+interactive"], self._environment)


class Shell:
    """A program at a terminal. As a context it is gone at the end."""

    def __init__(self, command: list[str], environment: dict[str, str]) -> None:
        self._pid, self._terminal = pty.fork()
        if self._pid == 0:
            os.execve(command[0], command, environment)
        fcntl.ioctl(self._terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 200, 0, 0))
        self._seen = ""

    def __enter__(self) -> Shell:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        os.close(self._terminal)
        os.waitpid(self._pid, 0)

    def type(self, text: str) -> None:
        """Type something; what was shown before is not looked at any more."""
        self._seen = ""
        os.write(self._terminal, text.encode())

    def wait_for(self, words: str) -> str:
        """All that is shown until these words are among it."""
        until = time.monotonic() + SECONDS
        while words not in self._seen:
            ready, _, _ = select.select([self._terminal], [], [], max(0.0, until - time.monotonic()))
            assert ready, f"{words!r} does not come: {self._seen}"
            try:
                read = os.read(self._terminal, 65536)
            except OSError as error:
                raise AssertionError(f"{words!r} did not come before the end: {self._seen}") from error
            if WHERE_IS_THE_CURSOR in read:
                os.write(self._terminal, THERE)
            self._seen += CONTROL.sub("", read.decode("utf-8", "replace"))
        return self._seen
