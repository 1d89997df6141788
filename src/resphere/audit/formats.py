"""The two faces of an audit record: a JSON object for `audit.log`, a line like vCenter's own for `vpxd.log`."""

from __future__ import annotations

import os
from datetime import datetime
from functools import lru_cache

import msgspec

from resphere.audit.escape import ascii_json, encodable, token
from resphere.audit.record import AuditRecord
from resphere.contract.moments import wire_time

_encoder = msgspec.json.Encoder()
_TIME_BEGINS = len('{"start_time":"')
_MILLISECONDS_END = _TIME_BEGINS + len("2026-01-02T03:04:05.678")
_TIME_ENDS = slice(_MILLISECONDS_END + 3, _MILLISECONDS_END + 5)
_known = lru_cache(maxsize=512)(token)
"""Of words that come again and again."""


def json_object(record: AuditRecord) -> bytes:
    """All fields of a record as one JSON object in printable ASCII."""
    try:
        encoded = _encoder.encode(record)
    except UnicodeEncodeError:  # a lone surrogate: not worth looking for before it happens
        encoded = _encoder.encode(_without_surrogates(record))
    return ascii_json(encoded)


class VpxdFormat:
    """`vpxd.log`: one line a call, in the form vCenter's log has. It begins with the moment when the call came."""

    def __init__(self, pid: int | None = None) -> None:
        self._source = f"vpxd[{os.getpid() if pid is None else pid}] [Originator@6876 sub=vapi"

    def loss(self, time: datetime, lines: int) -> bytes:
        """The line that stands where so many could not be kept."""
        return f"{wire_time(time)} error {self._source}] {lines} records of API calls were lost\n".encode("ascii")

    def line(self, record: AuditRecord, written: bytes) -> bytes:
        """The line of a record, with its newline. ``written`` is :func:`json_object` of it, which has its time."""
        status = record.status
        level = "info" if status < 400 else "warning" if status < 500 else "error"
        error = f" error={_known(record.error_type)}" if record.error_type else ""
        time_ms = record.duration_seconds * 1000
        return _time(record, written) + (
            f"Z {level} {self._source} opID={token(record.request_id)}]"
            f" API {_known(record.method)} {token(record.path)} user={_known(record.user)}"
            f" operation={_known(record.operation)} status={status} time_ms={time_ms:.1f}{error}\n"
        ).encode("ascii")


def _time(record: AuditRecord, written: bytes) -> bytes:
    """:func:`wire_time` without its ``Z`` of the moment that a record begins with."""
    if written[_TIME_ENDS] == b'Z"':
        return written[_TIME_BEGINS:_MILLISECONDS_END]
    return wire_time(record.start_time)[:-1].encode("ascii")  # a whole second, written without microseconds


def _without_surrogates(record: AuditRecord) -> AuditRecord:
    texts = {name: encodable(value) for name in record.__struct_fields__ if type(value := getattr(record, name)) is str}
    return msgspec.structs.replace(record, **texts)
