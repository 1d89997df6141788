"""Audit records to test with."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from resphere.audit.record import AuditRecord

LIST_VMS = AuditRecord(
    start_time=datetime(2026, 11, 23, 11, 15, 19, 123456, tzinfo=UTC),
    duration_seconds=0.00041,
    request_id="0f8c2c1e",
    client="192.0.2.7",
    method="GET",
    path="/api/vcenter/vm",
    status=200,
    bytes_out=2988,
    session="a1b2c3",
    user="administrator@vsphere.local",
    dialect="api",
    operation="com.vmware.vcenter.VM.list",
    privilege="System.Read",
    user_agent="curl/8.5.0",
)


def record(**changes: object) -> AuditRecord:
    """LIST_VMS with some fields changed."""
    return msgspec.structs.replace(LIST_VMS, **changes)
