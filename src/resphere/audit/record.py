"""What is kept of every call."""

from __future__ import annotations

from datetime import datetime
from typing import TypeAlias

import msgspec

from resphere.contract.extensions.audit import Audit

MOST_CHARACTERS = {
    "client": 64,
    "method": 32,
    "path": 1024,
    "session": 64,
    "user": 256,
    "tried_user": 256,
    "target": 256,
    "reason": 512,
    "user_agent": 256,
}
"""How much is kept of what callers send; all other fields hold words of ours."""


Decision: TypeAlias = Audit.Decision
"""Whether a call was let through: ALLOWED says that the caller may do what was asked for on what the path names."""


class AuditRecord(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """One call, answered. None, which is left out of the log, means: does not apply, or was not reached.

    Never holds a secret: `path` is without its query, and `session` is a short tag made for logs, not the session's id.
    What callers send is cut at :data:`MOST_CHARACTERS`, and the mark there says how long it was.
    """

    start_time: datetime
    """When the call came; aware, in UTC."""
    duration_seconds: float
    """From then until the answer was there; one that is a stream is sent after that."""
    request_id: str
    client: str
    """The caller's address."""
    method: str
    """Of HTTP."""
    path: str
    status: int
    bytes_out: int
    """Size of the answer's body as sent."""
    session: str | None = None
    user: str | None = None
    """Who was let in."""
    tried_user: str | None = None
    """The name that was tried, where it did not let anybody in."""
    authentication: str | None = None
    """What let the caller in (`password`, `session`...), or what was shown in vain."""
    token: str | None = None
    """The name of the API token that let the caller in, or has opened the session."""
    dialect: str | None = None
    operation: str | None = None
    """For instance `com.vmware.vcenter.VM.list`."""
    target: str | None = None
    """Id of the object the operation is about."""
    decision: Decision | None = None
    privilege: str | None = None
    """The privilege that was missing, or else the first that the operation needs."""
    error_type: str | None = None
    message_id: str | None = None
    reason: str | None = None
    """Why nothing let the caller in, which is told here alone."""
    user_agent: str | None = None
    trace_id: str | None = None
    """The trace that the call is part of (W3C Trace Context), where the server makes spans."""
