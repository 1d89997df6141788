"""The two faces of an audit record: a JSON object for `audit.log`, a line like vCenter's own for `vpxd.log`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import datetime

import msgspec

from resphere.audit.escape import ascii_json, encodable, token
from resphere.audit.record import AuditRecord
from resphere.contract.moments import wire_time


class JsonFormat:
    """`audit.log`: one JSON object a line, with every field of AuditRecord, in printable ASCII."""

    def __init__(self) -> None:
        self._encoder = msgspec.json.Encoder()

    def lines(self, records: Sequence[AuditRecord]) -> bytes:
        try:
            encoded = self._encoder.encode_lines(records)
        except UnicodeEncodeError:  # a lone surrogate: not worth looking for before it happens
            encoded = self._encoder.encode_lines([_without_surrogates(record) for record in records])
        return ascii_json(encoded)

    def loss(self, time: datetime, records: int) -> bytes:
        return self._encoder.encode_lines([{"time": time, "lost_records": records}])


class VpxdFormat:
    """`vpxd.log`: one line a call, in the form vCenter's log has. It begins with the moment when the call came."""

    def __init__(self, pid: int | None = None) -> None:
        self._source = f"vpxd[{os.getpid() if pid is None else pid}] [Originator@6876 sub=vapi"

    def lines(self, records: Sequence[AuditRecord]) -> bytes:
        return "".join([self._line(record) for record in records]).encode("ascii")

    def loss(self, time: datetime, records: int) -> bytes:
        return f"{wire_time(time)} error {self._source}] {records} records of API calls were lost\n".encode("ascii")

    def _line(self, record: AuditRecord) -> str:
        status = record.status
        level = "info" if status < 400 else "warning" if status < 500 else "error"
        time_ms = record.duration_seconds * 1000
        error = f" error={token(record.error_type)}" if record.error_type else ""
        return (
            f"{wire_time(record.start_time)} {level} {self._source} opID={token(record.request_id)}]"
            f" API {token(record.method)} {token(record.path)} user={token(record.user)}"
            f" operation={token(record.operation)} status={status} time_ms={time_ms:.1f}{error}\n"
        )


def _without_surrogates(record: AuditRecord) -> AuditRecord:
    texts = {
        name: encodable(value) for name in record.__struct_fields__ if isinstance(value := getattr(record, name), str)
    }
    return msgspec.structs.replace(record, **texts)
