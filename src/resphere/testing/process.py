"""The process of a server for tests, from its start to its end."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from resphere.testing.errors import VCenterError
from resphere.testing.minder import REMOVE

SERVES = re.compile(r"resphere serves .* at (https?://\S+)")
LAST_LINE = "/api/vcenter/vm"
"""What the last line of the banner ends with: then the port listens."""
PASSWORD_VARIABLE = "RESPHERE_ADMIN_PASSWORD"  # noqa: S105 - the name of one
WITHOUT_TLS = "--no-tls"
STOP_SECONDS = 60.0
TOLD_LINES = 20


class Process:
    """``resphere serve``, on a free port, with its data in ``folder``, which is removed with it where it ``owns``
    that."""

    def __init__(self, folder: Path, arguments: Sequence[str], password: str, *, owns: bool) -> None:
        """:raises VCenterError: it does not start; tells what it has said."""
        self.log = folder / "server.log"
        self._removed = folder if owns else None
        removing = (REMOVE, str(folder)) if owns else ()
        if WITHOUT_TLS in arguments:
            raise VCenterError(f"{WITHOUT_TLS} is not for tests: the server has a certificate that they trust")
        own = ("--host", "127.0.0.1", "--port", "0", "--data-dir", str(folder / "data"), "--tls")
        serving = ("-m", "resphere", "serve", *own, *arguments)
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "resphere.testing.minder", *removing, sys.executable, *serving],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env={**os.environ, PASSWORD_VARIABLE: password},
                text=True,
                # What a terminal interrupts are the tests: they end the server.
                start_new_session=True,
            )
        self.url = self._url()

    def _url(self) -> str:
        assert self._process.stdout is not None
        url = ""
        for line in self._process.stdout:
            found = SERVES.match(line)
            if found:
                url = found[1]
            if LAST_LINE in line:
                return url
        said = self.said()
        self.stop()
        raise VCenterError(f"the server did not start:\n{said}")

    def said(self) -> str:
        """The end of what the server has written to its log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-TOLD_LINES:])

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def stop(self) -> None:
        """End it, and wait until it has ended."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
        if self._removed is not None:
            shutil.rmtree(self._removed, ignore_errors=True)
