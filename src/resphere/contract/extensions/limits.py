"""How much a caller may do."""

from __future__ import annotations

from typing import ClassVar

from resphere.contract import model as m
from resphere.contract.releases import ALL_RELEASES


class Limits:
    """``resphere.limits``: what the server allows, and what is left of it."""

    class Rate(m.Struct, frozen=True, kw_only=True):
        """So many calls may be made ``per`` user, token, session or address: ``burst`` at once, and ``per_second`` in
        the long run, of those operations whose ids fit the shell pattern ``operation``, and that are of
        ``operation_class`` (login, read, write, bulk or long_poll) where there is one.

        ``remaining`` is how many more the caller may make now. It is unset where the rule does not count the caller.
        """

        __vapi_name__ = "resphere.limits.rate"
        name: str
        per: str
        operation_class: str | None = None
        operation: str
        per_second: float
        burst: m.Long
        remaining: m.Long | None = None

    class Concurrency(m.Struct, frozen=True, kw_only=True):
        """How many calls a worker process works on at the same time, and how many more may wait for their turn: of one
        user, and in all."""

        __vapi_name__ = "resphere.limits.concurrency"
        per_user: m.Long
        total: m.Long
        waiting_per_user: m.Long
        waiting: m.Long

    class Info(m.Struct, frozen=True, kw_only=True):
        """All that concerns the caller."""

        __vapi_name__ = "resphere.limits.info"
        rates: tuple[Limits.Rate, ...]
        concurrency: Limits.Concurrency

    get: ClassVar[m.Operation[[], Limits.Info]] = m.Operation(
        "resphere.limits",
        "get",
        output=lambda: Limits.Info,
        api=m.Route("GET", "/api/resphere/limits", 200),
        errors=("unauthenticated", "service_unavailable"),
        privileges=(m.Requirement(("System.View",), anywhere=True),),
        releases=ALL_RELEASES,
    )
