"""Moments as vSphere's wire has them: in UTC, always to the millisecond."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec


def wire_time(moment: datetime) -> str:
    """``2026-01-02T03:04:05.678Z``: three digits even where they are zeros, which scripts read by one fixed format.

    What is finer is cut off. A moment outside the years that UTC can be written in keeps its own zone.
    """
    if moment.tzinfo is not UTC:
        try:
            moment = moment.astimezone(UTC)
        except OverflowError:
            return moment.isoformat(timespec="milliseconds")
    return f"{moment.isoformat(timespec='milliseconds')[:23]}Z"


def plain(value: object) -> Any:
    """A value as what JSON has: objects, lists, text, numbers; its moments as the wire has them."""
    return _timed(msgspec.to_builtins(value, builtin_types=(datetime,), str_keys=True))


def _timed(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _timed(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_timed(item) for item in value]
    return wire_time(value) if isinstance(value, datetime) else value
