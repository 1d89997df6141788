"""What was called, as the server's audit log has it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class CallRecord:
    """One call: ``operation`` is the id of what was called (``com.vmware.vcenter.VM.list``), ``target`` the id of the
    object that it was about; both are ``None`` where there was none. ``error`` is the ``error_type`` of a refusal."""

    method: str
    path: str
    status: int
    operation: str | None
    target: str | None
    user: str | None
    error: str | None
    user_agent: str | None

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> CallRecord:
        """A record of ``GET /api/resphere/audit``."""
        return cls(
            method=record["method"],
            path=record["path"],
            status=record["status"],
            operation=record.get("operation"),
            target=record.get("target"),
            user=record.get("user"),
            error=record.get("error_type"),
            user_agent=record.get("user_agent"),
        )
