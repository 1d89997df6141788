"""Lines of the audit log in the Common Event Format of ArcSight (version 0), as SIEMs read it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from resphere import __version__
from resphere.audit.chain import Anchor, Line, anchor_of
from resphere.audit.escape import printable
from resphere.audit.reading import entry_of
from resphere.audit.record import AuditRecord, Decision

LOW, MEDIUM, HIGH = 3, 5, 8
_EPOCH = datetime.fromtimestamp(0, UTC)


def cef(chain: int, line: Line, time: datetime) -> str:
    """One line of printable ASCII."""
    entry = entry_of(chain, line, time)
    if entry is not None:
        return _of_record(chain, line.sequence, time, entry.record)
    anchor = anchor_of(line) if line.is_anchor else None
    if anchor is not None:
        return _of_anchor(line, anchor)
    return _written(
        "unreadable", "Line that cannot be read", HIGH, {"cn2": line.sequence, "cn3": chain, "rt": _ms(time)}
    )


def _of_record(chain: int, sequence: int, time: datetime, record: AuditRecord) -> str:
    user = record.user if record.user is not None else record.tried_user
    extension = {
        "rt": _ms(time),
        "start": _ms(record.start_time),
        "src": record.client,
        "suser": user,
        "request": record.path,
        "requestMethod": record.method,
        "requestClientApplication": record.user_agent,
        "act": record.decision,
        "outcome": "success" if record.error_type is None else "failure",
        "reason": record.reason or record.message_id,
        "externalId": record.request_id,
        "out": record.bytes_out,
        "cs1": record.target,
        "cs2": record.privilege,
        "cs3": record.authentication,
        "cs4": record.session,
        "cs5": record.dialect,
        "cs6": record.error_type,
        "cn1": record.status,
        "cn2": sequence,
        "cn3": chain,
        "cfp1": f"{record.duration_seconds:.6f}",
    }
    name = record.operation or f"{record.method} {record.path}"
    return _written(record.operation or "call", name, severity(record), extension)


def _of_anchor(line: Line, anchor: Anchor) -> str:
    amiss = bool(anchor.lost_records or anchor.missing or anchor.unnoted or anchor.unknown_head)
    extension = {
        "rt": _ms(anchor.time),
        "cn2": line.sequence,
        "cn3": anchor.chain,
        "cnt": anchor.lost_records or None,
        "fileHash": line.digest.hex(),
        "msg": line.text.decode(),
    }
    return _written(f"anchor.{anchor.kind.lower()}", "Anchor of the audit log", HIGH if amiss else LOW, extension)


def severity(record: AuditRecord) -> int:
    """From 0 to 10, as the format has it."""
    if record.status >= 500 or record.decision in (Decision.UNAUTHENTICATED, Decision.UNAUTHORIZED):
        return HIGH
    return LOW if record.error_type is None else MEDIUM


LABELS = {
    "cs1": "target",
    "cs2": "privilege",
    "cs3": "authentication",
    "cs4": "session",
    "cs5": "dialect",
    "cs6": "errorType",
    "cn1": "status",
    "cn2": "sequence",
    "cn3": "chain",
    "cfp1": "durationSeconds",
}
"""What the format's own fields for anything hold."""


def _written(event: str, name: str, level: int, extension: Mapping[str, object]) -> str:
    head = "|".join(["CEF:0", "resphere", "resphere", __version__, _head(event), _head(name), str(level)])
    fields = []
    for key, value in extension.items():
        if value is None:
            continue
        fields.append(f"{key}={_value(str(value))}")
        if key in LABELS:
            fields.append(f"{key}Label={LABELS[key]}")
    return f"{head}|{' '.join(fields)}"


def _head(text: str) -> str:
    return printable(text).replace("\\", "\\\\").replace("|", "\\|")


def _value(text: str) -> str:
    return printable(text).replace("\\", "\\\\").replace("=", "\\=")


def _ms(time: datetime) -> int:
    return (time - _EPOCH) // timedelta(milliseconds=1)
