"""Which lines of the audit log the commands mean, and how they write them."""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path

import msgspec

from resphere.audit.cef import cef
from resphere.audit.chain import Line
from resphere.audit.escape import printable
from resphere.audit.reading import EARLIEST, LATEST, Entry, Query, entry_of
from resphere.audit.record import Decision
from resphere.contract.extensions.audit import Audit
from resphere.contract.moments import wire_time
from resphere.server.recorder import noted_logs
from resphere.server.settings import Settings, variable
from resphere.services.resphere.audit import accepting

SPAN = re.compile(r"([0-9]{1,6})([smhd])")
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
FILTERS: dict[str, tuple[str, Callable[[str], object], str]] = {
    "user": ("users", str, "who was let in, or tried to be"),
    "operation": ("operations", str, "an operation, or a service with all of them"),
    "target": ("targets", str, "the object it is about"),
    "client": ("clients", str, "the caller's address"),
    "request_id": ("request_ids", str, "the id that the caller got"),
    "status": ("statuses", int, "the status that was answered"),
    "decision": ("decisions", Decision, "ALLOWED, UNAUTHENTICATED or UNAUTHORIZED"),
}
"""Flags, each with the part of a filter of the API that it is."""

Found = tuple[datetime, int, Line]
"""A line, with its time and chain."""


class Form(StrEnum):
    """How lines are written."""

    PLAIN = "plain"
    JSON = "json"
    CEF = "cef"


def add_folders(to: argparse.ArgumentParser) -> None:
    """The flags that say where the log is."""
    default = os.environ.get(variable("data_dir"), str(Settings().data_dir))
    to.add_argument("--data-dir", type=Path, default=Path(default), help=f"of the server (default: {default})")
    logs = os.environ.get(variable("log_dir"))
    to.add_argument(
        "--log-dir",
        type=Path,
        default=None if logs is None else Path(logs),
        help=f"where the log is (default: {logs or 'where the server has it'})",
    )


def add_filters(to: argparse.ArgumentParser) -> None:
    """The flags that say which records are meant."""
    to.add_argument("--since", type=moment, metavar="TIME", help="2026-01-31T12:00:00Z, or 90s, 30m, 12h, 7d ago")
    to.add_argument("--until", type=moment, metavar="TIME", help="likewise")
    for name, (_, type, help) in FILTERS.items():
        flag = "--" + name.replace("_", "-")
        to.add_argument(flag, type=type, action="append", metavar="VALUE", help=f"{help}; may be repeated")


def moment(text: str) -> datetime:
    """A time, or how long ago it was.

    :raises argparse.ArgumentTypeError: it is neither.
    """
    span = SPAN.fullmatch(text)
    try:
        if span is not None:
            return datetime.now(UTC) - timedelta(seconds=int(span[1]) * UNITS[span[2]])
        found = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no time such as 2026-01-31T12:00:00Z, nor 30m, 12h, 7d"
        ) from None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def folder(options: argparse.Namespace) -> Path:
    """Where the log is.

    :raises ValueError: there is none.
    """
    found: Path = options.log_dir or noted_logs(options.data_dir) or Settings(data_dir=options.data_dir).logs
    if not found.is_dir():
        raise ValueError(f"there is no log directory {found}; --data-dir or --log-dir says where it is")
    return found


def asked(options: argparse.Namespace, *, newest_first: bool) -> Query:
    """What the flags ask for."""
    given = {part: getattr(options, name) for name, (part, _, _) in FILTERS.items()}
    filter = msgspec.convert({part: values for part, values in given.items() if values is not None}, Audit.FilterSpec)
    return Query(
        newest_first=newest_first,
        start=options.since or EARLIEST,
        end=options.until or LATEST,
        accepts=accepting(filter),
    )


def is_filtered(options: argparse.Namespace) -> bool:
    """Whether only some records are asked for, of those of a time."""
    return any(getattr(options, name) is not None for name in FILTERS)


def wanted(lines: Iterator[Found], query: Query, *, filtered: bool) -> Iterator[Found]:
    """The lines that are asked for: all of them, or the records that the query accepts."""
    for found in lines:
        time, chain, line = found
        if not filtered:
            yield found
            continue
        entry = entry_of(chain, line, time)
        if entry is not None and query.accepts(entry.record):
            yield found


def written(found: Found, form: Form) -> str:
    """A line as it is printed."""
    time, chain, line = found
    match form:
        case Form.JSON:
            return line.text.decode("ascii", "replace")
        case Form.CEF:
            return cef(chain, line, time)
        case Form.PLAIN:
            entry = entry_of(chain, line, time)
            return f"{wire_time(time)} {line.content.decode()}" if entry is None else plain(entry)


def plain(entry: Entry) -> str:
    """A record for people."""
    record = entry.record
    who = record.user or (f"{record.tried_user} (in vain)" if record.tried_user else "-")
    what = record.operation or f"{record.method} {record.path}"
    about = f" {record.target}" if record.target else ""
    why = f" {record.error_type}" if record.error_type else ""
    missing = f" {record.privilege}" if record.decision is Decision.UNAUTHORIZED and record.privilege else ""
    return printable(f"{wire_time(entry.time)} {record.status} {record.client} {who} {what}{about}{why}{missing}")
