"""What is kept of every call."""

from __future__ import annotations

from datetime import datetime

import msgspec


class AuditRecord(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One call, answered. None means: does not apply, or was not reached.

    Never holds a secret: `path` is without its query, and `session` is a short tag made for logs, not the session's id.
    """

    start_time: datetime
    """When the call came; aware, in UTC."""
    duration_seconds: float
    """From then until the answer was there; one that is a stream is sent after that."""
    request_id: str
    client: str
    """The caller's address."""
    method: str
    path: str
    status: int
    bytes_out: int
    """Size of the answer's body as sent."""
    session: str | None = None
    user: str | None = None
    dialect: str | None = None
    operation: str | None = None
    """For instance `com.vmware.vcenter.VM.list`."""
    target: str | None = None
    """Id of the object the operation is about."""
    privilege: str | None = None
    """The privilege that was missing, or else the first that the operation needs."""
    error_type: str | None = None
    message_id: str | None = None
    user_agent: str | None = None
