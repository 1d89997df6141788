"""The server's own log: JSON lines in `resphere.log`, and the same for people on standard error."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

import msgspec

from resphere.audit.escape import ascii_json, bounded, encodable, printable
from resphere.audit.writer import LineWriter
from resphere.tracing.context import current_trace_id

FILE_NAME = "resphere.log"
MOST_MESSAGE_CHARACTERS = 8 * 1024
MOST_TRACE_CHARACTERS = 64 * 1024


class ServerLogLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of `resphere.log`; fields without a value are left out."""

    time: datetime
    level: str
    logger: str
    message: str
    request_id: str | None = None
    trace_id: str | None = None
    """Of the call that was going on, where the server makes spans."""
    reference: str | None = None
    """Of an answer "internal server error", which tells the caller nothing else."""
    exception: str | None = None
    """The traceback as text."""


class JsonLogFormatter(logging.Formatter):
    """A log record as one JSON line in printable ASCII; `extra` may give `request_id` and `reference`."""

    def format(self, record: logging.LogRecord) -> str:
        return self.encode(record).decode("ascii")

    def encode(self, record: logging.LogRecord) -> bytes:
        line = ServerLogLine(
            time=datetime.fromtimestamp(record.created, UTC),
            level=record.levelname.lower(),
            logger=record.name,
            message=_message(record),
            request_id=_extra(record, "request_id"),
            trace_id=current_trace_id(),
            reference=_extra(record, "reference"),
            exception=encodable(_trace(self, record)) if record.exc_info else None,
        )
        return ascii_json(msgspec.json.encode(line))


class PlainLogFormatter(logging.Formatter):
    """A log record for people: `11:15:19 warning resphere.server: text [reference]`, and the traceback below it."""

    def format(self, record: logging.LogRecord) -> str:
        time = datetime.fromtimestamp(record.created, UTC)
        marks = [mark for mark in (_extra(record, "request_id"), _extra(record, "reference")) if mark]
        text = f"{time:%H:%M:%S} {record.levelname.lower()} {record.name}: {printable(_message(record))}"
        if marks:
            text += f" [{printable(' '.join(marks))}]"
        if record.exc_info:
            text += "\n" + "\n".join(map(printable, _trace(self, record).splitlines()))
        return text


class LineHandler(logging.Handler):
    """Hands finished lines to a LineWriter, so that logging never waits for the disk."""

    def __init__(self, writer: LineWriter) -> None:
        super().__init__()
        self._writer = writer
        self._formatter = JsonLogFormatter()

    def emit(self, record: logging.LogRecord) -> None:
        try:
            # Formatted at once: the arguments may change before the writer comes to it.
            self._writer.write(self._formatter.encode(record) + b"\n")
        except Exception:
            self.handleError(record)


def loss(time: datetime, lines: int) -> bytes:
    """The line that stands where so many could not be kept."""
    line = ServerLogLine(time=time, level="error", logger=__name__, message=f"{lines} log lines were lost")
    return msgspec.json.encode(line) + b"\n"


class ServerLog:
    """Logging as the server wants it, from its making until `close`; made once a process, in the process that logs."""

    def __init__(
        self,
        directory: Path,
        *,
        level: int = logging.INFO,
        stream: TextIO | None = None,
        logger: logging.Logger = logging.root,
    ) -> None:
        """Attach to `logger`; raises OSError where `directory` cannot be written. No `stream` means standard error."""
        self._logger = logger
        self._previous_level = logger.level
        self._writer = LineWriter(directory / FILE_NAME, loss)
        plain = logging.StreamHandler(stream)
        plain.setFormatter(PlainLogFormatter())
        self._handlers: tuple[logging.Handler, ...] = (plain, LineHandler(self._writer))
        logger.setLevel(level)
        for handler in self._handlers:
            logger.addHandler(handler)

    @property
    def path(self) -> Path:
        return self._writer.path

    def close(self) -> None:
        """Write what is queued and detach."""
        for handler in self._handlers:
            self._logger.removeHandler(handler)
        self._logger.setLevel(self._previous_level)
        self._writer.close()


def _message(record: logging.LogRecord) -> str:
    return encodable(bounded(record.getMessage(), MOST_MESSAGE_CHARACTERS))


def _trace(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    """The traceback; of one that is too long its beginning and, for what went wrong stands there, its end."""
    assert record.exc_info
    text = formatter.formatException(record.exc_info)
    if len(text) <= MOST_TRACE_CHARACTERS:
        return text
    half = MOST_TRACE_CHARACTERS // 2
    return f"{text[:half]}\n...[{len(text)} characters]...\n{text[-half:]}"


def _extra(record: logging.LogRecord, name: str) -> str | None:
    value = getattr(record, name, None)
    return None if value is None else encodable(bounded(str(value), 256))
