"""The audit log: who has asked for what, and what became of it."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

from resphere.contract import model as m
from resphere.contract.releases import ALL_RELEASES


class Audit:
    """``resphere.audit``: the calls on record."""

    class Decision(StrEnum):
        """Whether a call was let through."""

        ALLOWED = "ALLOWED"
        UNAUTHENTICATED = "UNAUTHENTICATED"
        UNAUTHORIZED = "UNAUTHORIZED"

    class Order(StrEnum):
        """Which records come first, by the time when the calls were answered."""

        NEWEST_FIRST = "NEWEST_FIRST"
        OLDEST_FIRST = "OLDEST_FIRST"

    class FilterSpec(m.Struct, frozen=True, kw_only=True):
        """Records of calls that were answered from ``start`` (included) to ``end`` (excluded), and of which each part
        is one of those that are given. ``users`` are those who were let in, and names that were tried in vain;
        ``operations`` also services, with all of their operations. ``size`` is the most records of a page (100 unless
        set, 1000 at most), ``page`` what a former one gave as ``next``."""

        __vapi_name__ = "resphere.audit.filter_spec"
        start: m.DateTime | None = None
        end: m.DateTime | None = None
        users: frozenset[str] | None = None
        operations: frozenset[str] | None = None
        targets: frozenset[str] | None = None
        clients: frozenset[str] | None = None
        request_ids: frozenset[str] | None = None
        statuses: frozenset[m.Long] | None = None
        decisions: frozenset[Audit.Decision] | None = None
        order: Audit.Order | None = None
        size: m.Long | None = None
        page: str | None = None

    class Info(m.Struct, frozen=True, kw_only=True):
        """A call. ``chain`` and ``sequence`` say which line of the log tells of it; the rest is as there."""

        __vapi_name__ = "resphere.audit.info"
        chain: m.Long
        sequence: m.Long
        start_time: m.DateTime
        duration_seconds: float
        request_id: str
        client: str
        method: str
        path: str
        status: m.Long
        bytes_out: m.Long
        session: str | None = None
        user: str | None = None
        token: str | None = None
        tried_user: str | None = None
        authentication: str | None = None
        dialect: str | None = None
        operation: str | None = None
        target: str | None = None
        decision: Audit.Decision | None = None
        privilege: str | None = None
        error_type: str | None = None
        message_id: str | None = None
        reason: str | None = None
        user_agent: str | None = None
        trace_id: str | None = None

    class ListResult(m.Struct, frozen=True, kw_only=True):
        """A page of records. ``next`` is where the rest begins, unset where there is none; where many records had to be
        looked at, a page may have few or none and the rest still begins there."""

        __vapi_name__ = "resphere.audit.list_result"
        records: tuple[Audit.Info, ...]
        next: str | None = None

    class ListInput(m.Struct, frozen=True, kw_only=True):
        filter: Audit.FilterSpec | None = None

    list: ClassVar[m.Operation[[Audit.FilterSpec | None], Audit.ListResult]] = m.Operation(
        "resphere.audit",
        "list",
        input=ListInput,
        output=lambda: Audit.ListResult,
        api=m.Route(
            "GET",
            "/api/resphere/audit",
            200,
            query=tuple(
                f"filter.{name}"
                for name in (
                    "start",
                    "end",
                    "users",
                    "operations",
                    "targets",
                    "clients",
                    "request_ids",
                    "statuses",
                    "decisions",
                    "order",
                    "size",
                    "page",
                )
            ),
        ),
        errors=("invalid_argument", "service_unavailable", "unauthenticated", "unauthorized"),
        # As vSphere's own logs need it (DiagnosticManager, BrowseDiagnosticLog).
        privileges=(m.Requirement(("Global.Diagnostics",)),),
        releases=ALL_RELEASES,
    )
