"""The command line as it is called, in the test's own process."""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import msgspec

from resphere.cli.main import main
from tests.support.server import ADMINISTRATOR, PASSWORD, Server


class Done(msgspec.Struct, frozen=True):
    """What a command ended with."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it wrote as JSON."""
        return json.loads(self.out)

    @property
    def lines(self) -> list[str]:
        """What it wrote, line by line."""
        return self.out.splitlines()


class _Output(io.TextIOWrapper):
    """Standard output in memory, with bytes underneath."""

    def __init__(self) -> None:
        super().__init__(io.BytesIO(), encoding="utf-8", write_through=True)

    def text(self) -> str:
        buffer = self.buffer
        assert isinstance(buffer, io.BytesIO)
        return buffer.getvalue().decode()


def environment(folder: Path, server: Server | None = None, password: str = PASSWORD) -> dict[str, str]:
    """Variables of somebody whose contexts are in ``folder``; with a server, those of CI that choose it."""
    found = {"XDG_CONFIG_HOME": str(folder)}
    if server is not None:
        found |= {
            "VSPHERE_SERVER": server.url,
            "VSPHERE_USER": ADMINISTRATOR,
            "VSPHERE_PASSWORD": password,
            "VSPHERE_CA_FILE": str(server.ca),
        }
    return found


@contextmanager
def _standard_input(stream: io.TextIOWrapper) -> Iterator[None]:
    kept, sys.stdin = sys.stdin, stream
    try:
        yield
    finally:
        sys.stdin = kept


class Shell:
    """Calls commands with variables of its own; ``input`` is standard input, which is no terminal."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self.variables = dict(variables)

    def __call__(self, *arguments: str, input: str = "") -> Done:
        kept = {name: value for name, value in os.environ.items() if name.startswith(("VSPHERE_", "XDG_CONFIG"))}
        for name in kept:
            del os.environ[name]
        os.environ.update(self.variables)
        out, err, stdin = _Output(), io.StringIO(), io.TextIOWrapper(io.BytesIO(input.encode()))
        try:
            with redirect_stdout(out), redirect_stderr(err), _standard_input(stdin):
                status = main(arguments)
        except SystemExit as ended:
            status = int(ended.code or 0)
        finally:
            for name in self.variables:
                os.environ.pop(name, None)
            os.environ.update(kept)
        return Done(status, out.text(), err.getvalue())

    def done(self, *arguments: str, input: str = "") -> Done:
        """A call that must succeed."""
        found = self(*arguments, input=input)
        assert found.status == 0, found.err
        return found
