"""The server's own log, for machines and for people."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from resphere.audit.server_log import ServerLog, ServerLogLine

SOURCE = "tests.server_log"


class Logged:
    """A server log attached to a logger of its own, and what it wrote."""

    def __init__(self, directory: Path) -> None:
        # Outside the tree of loggers: pytest watches that, and cannot report a lone surrogate.
        self.root = logging.Logger(SOURCE)  # noqa: LOG001
        self.stream = io.StringIO()
        self.log = ServerLog(directory, stream=self.stream, logger=self.root)

    def lines(self) -> list[ServerLogLine]:
        self.log.close()
        return [msgspec.json.decode(line, type=ServerLogLine) for line in self.log.path.read_bytes().splitlines()]

    def plain(self) -> str:
        return self.stream.getvalue()


@pytest.fixture
def logged(tmp_path: Path) -> Iterator[Logged]:
    made = Logged(tmp_path)
    yield made
    made.log.close()


def test_a_message_is_one_object_and_one_line(logged: Logged, tmp_path: Path) -> None:
    logged.root.info("serving on %s", "https://localhost")
    assert logged.plain().endswith(" info tests.server_log: serving on https://localhost\n")
    (line,) = logged.lines()
    assert (line.level, line.logger, line.message) == ("info", SOURCE, "serving on https://localhost")
    assert (line.request_id, line.reference, line.exception) == (None, None, None)
    assert (tmp_path / "resphere.log").exists()


def test_the_reference_of_an_error_and_its_traceback_stand_in_both(logged: Logged) -> None:
    try:
        raise RuntimeError("a defect \x1b[2J")
    except RuntimeError:
        logged.root.exception("unforeseen", extra={"request_id": "0f8c2c1e", "reference": "E-4711"})
    assert "error tests.server_log: unforeseen [0f8c2c1e E-4711]\nTraceback" in logged.plain()
    assert r"RuntimeError: a defect \x1b[2J" in logged.plain()
    (line,) = logged.lines()
    assert (line.request_id, line.reference) == ("0f8c2c1e", "E-4711")
    assert line.exception is not None
    assert line.exception.endswith("RuntimeError: a defect \x1b[2J")


@pytest.mark.parametrize("text", ["one\ntwo", "\x1b[31mred", "lone \udcff", "Ünïcode\u2028"])
def test_text_from_outside_forges_no_line(logged: Logged, text: str) -> None:
    logged.root.warning("refused %s", text)
    assert logged.plain().count("\n") == 1
    assert logged.plain().rstrip("\n").isprintable()
    assert logged.plain().isascii()
    assert len(logged.lines()) == 1


def test_arguments_are_taken_as_they_were(logged: Logged) -> None:
    state = ["before"]
    logged.root.info("state %s", state)
    state[0] = "after"
    (line,) = logged.lines()
    assert line.message == "state ['before']"


def test_what_is_below_the_level_is_left_out(logged: Logged) -> None:
    logged.root.debug("detail")
    assert logged.plain() == ""
    assert logged.lines() == []


def test_close_detaches(logged: Logged) -> None:
    logged.log.close()
    assert logged.root.handlers == []


def test_a_huge_message_and_traceback_are_cut(logged: Logged) -> None:
    huge = "\x7f" * 3_000_000
    try:
        raise RuntimeError(f"{huge} the end")
    except RuntimeError:
        logged.root.exception("refused %s", huge, extra={"request_id": huge})
    (line,) = logged.lines()
    assert line.message.endswith("...[3000008 characters]")
    assert line.request_id is not None
    assert line.request_id.endswith("...[3000000 characters]")
    assert line.exception is not None
    assert line.exception.endswith("the end")
    assert "characters]..." in line.exception
    assert logged.log.path.stat().st_size < 1_000_000
    assert len(logged.plain()) < 1_000_000
