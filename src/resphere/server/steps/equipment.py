"""What the steps of a request work with."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Protocol

import msgspec

from resphere.access.view import Views
from resphere.auth.authentication import Authentication
from resphere.auth.by_library import LibraryPasswords
from resphere.auth.sessions import Sessions
from resphere.dialects.base import Reply
from resphere.events.failed_logins import FailedLogins
from resphere.limits.limits import Limits
from resphere.queries.cursors import Orders
from resphere.queries.standing import StandingLists
from resphere.server.exchange import Exchange
from resphere.server.faults import Faults
from resphere.server.kept import Kept
from resphere.server.known_callers import KnownCallers
from resphere.server.metrics.access import MetricsAccess
from resphere.server.metrics.requests import RequestMetrics
from resphere.server.repeats import Repeats
from resphere.server.tracing.spans import Tracing
from resphere.server.waiting import Waiting
from resphere.services.call import Environment
from resphere.services.registry import Implementation


class Recorder(Protocol):
    """The finalizer, which writes each call into the audit trail."""

    def require(self) -> None:
        """Refuse a call that could not be recorded, before anything is done.

        :raises VapiError: it could not.
        """

    def record(self, exchange: Exchange, duration_seconds: float) -> None:
        """Record a call that is over, whatever became of it. Never raises."""

    async def released(self, exchange: Exchange, reply: Reply) -> Reply:
        """What is sent: ``reply``, once its call is on record."""


class Equipment(msgspec.Struct, frozen=True):
    """What the steps work with: one per worker."""

    environment: Environment
    authentication: Authentication
    library_passwords: LibraryPasswords
    sessions: Sessions
    known_callers: KnownCallers
    views: Views
    limits: Limits
    implementations: dict[str, Implementation]
    faults: Faults
    kept: Kept
    repeats: Repeats
    waiting: Waiting
    failed_logins: FailedLogins
    """Tells of logins that are refused."""
    recorder: Recorder
    metrics: RequestMetrics
    metrics_access: MetricsAccess
    tracing: Tracing
    orders: Orders
    standing_lists: StandingLists
    list_turn: asyncio.Lock
    """Of lists that read all of each item: one at a time reads a piece."""
    clock: Callable[[], float]
    """Rising seconds, for durations."""
    body_limit_bytes: int
    stream_limits: Mapping[str, int]
    """By service, of bodies that are handed on as they come, and never held whole: so many bytes."""
