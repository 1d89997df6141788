"""Open sessions, and API tokens: one's own, and with a privilege everybody's."""

from __future__ import annotations

from typing import ClassVar

from resphere.contract import model as m
from resphere.contract.releases import ALL_RELEASES

REFUSALS = ("unauthenticated", "unauthorized")


class OpenSessions:
    """``resphere.sessions``: the caller's own sessions, and those of others with ``Sessions.TerminateSession``."""

    class Info(m.Struct, frozen=True, kw_only=True):
        """A session; ``session`` is what it is called here, which opens nothing. ``current``: the caller's own, by
        which it asks.

        ``method`` is how the user was let in, from the address ``client``; ``token`` names the API token that did, and
        ``source`` the identity source of a user who is no local one.
        """

        __vapi_name__ = "resphere.sessions.info"
        session: str
        user: str
        method: str
        current: bool
        created_time: m.DateTime
        last_accessed_time: m.DateTime
        client: str | None = None
        source: str | None = None
        token: str | None = None

    class FilterSpec(m.Struct, frozen=True, kw_only=True):
        """Which sessions; unset fits all."""

        __vapi_name__ = "resphere.sessions.filter_spec"
        users: frozenset[str] | None = None

    class ListInput(m.Struct, frozen=True, kw_only=True):
        filter: OpenSessions.FilterSpec | None = None

    class SessionInput(m.Struct, frozen=True, kw_only=True):
        session: str

    list: ClassVar[m.Operation[[OpenSessions.FilterSpec | None], tuple[OpenSessions.Info, ...]]] = m.Operation(
        "resphere.sessions",
        "list",
        input=ListInput,
        output=lambda: tuple[OpenSessions.Info, ...],
        api=m.Route("GET", "/api/resphere/sessions", 200, query=("filter.users",)),
        errors=REFUSALS,
        releases=ALL_RELEASES,
    )

    get: ClassVar[m.Operation[[str], OpenSessions.Info]] = m.Operation(
        "resphere.sessions",
        "get",
        input=SessionInput,
        output=lambda: OpenSessions.Info,
        api=m.Route("GET", "/api/resphere/sessions/{session}", 200),
        errors=("not_found", *REFUSALS),
        releases=ALL_RELEASES,
    )

    delete: ClassVar[m.Operation[[str], None]] = m.Operation(
        "resphere.sessions",
        "delete",
        input=SessionInput,
        api=m.Route("DELETE", "/api/resphere/sessions/{session}", 204),
        errors=("not_found", *REFUSALS),
        releases=ALL_RELEASES,
    )


class ApiTokens:
    """``resphere.tokens``: the caller's own API tokens, and those of others with ``Sessions.TerminateSession``."""

    class CreateSpec(m.Struct, frozen=True, kw_only=True):
        """A token of the caller's. Of the caller's rights it has the ``privileges`` that are named (unset: all; empty:
        those to read), on the ``objects`` that are named and all that stands in them (unset: everywhere).

        It is good until ``expiration_time``; unset: for 90 days.
        """

        __vapi_name__ = "resphere.tokens.create_spec"
        name: str
        privileges: frozenset[str] | None = None
        objects: frozenset[str] | None = None
        expiration_time: m.DateTime | None = None

    class CreateInfo(m.Struct, frozen=True, kw_only=True):
        """A new token; ``secret`` is what ``Authorization: Bearer`` takes, and is told this once."""

        __vapi_name__ = "resphere.tokens.create_info"
        token: str
        secret: m.Secret
        expiration_time: m.DateTime

    class Info(m.Struct, frozen=True, kw_only=True):
        """A token; ``token`` is what it is called here, which opens nothing."""

        __vapi_name__ = "resphere.tokens.info"
        token: str
        name: str
        owner: str
        created_time: m.DateTime
        expiration_time: m.DateTime
        expired: bool
        last_used_time: m.DateTime | None = None
        privileges: tuple[str, ...] | None = None
        objects: tuple[str, ...] | None = None

    class FilterSpec(m.Struct, frozen=True, kw_only=True):
        """Which tokens; unset fits all."""

        __vapi_name__ = "resphere.tokens.filter_spec"
        owners: frozenset[str] | None = None

    class CreateInput(m.Struct, frozen=True, kw_only=True):
        spec: ApiTokens.CreateSpec

    class ListInput(m.Struct, frozen=True, kw_only=True):
        filter: ApiTokens.FilterSpec | None = None

    class TokenInput(m.Struct, frozen=True, kw_only=True):
        token: str

    create: ClassVar[m.Operation[[ApiTokens.CreateSpec], ApiTokens.CreateInfo]] = m.Operation(
        "resphere.tokens",
        "create",
        input=CreateInput,
        output=lambda: ApiTokens.CreateInfo,
        api=m.Route("POST", "/api/resphere/tokens", 201, body=("spec",), flat=True),
        errors=("already_exists", "invalid_argument", "not_found", "service_unavailable", "unsupported", *REFUSALS),
        releases=ALL_RELEASES,
    )

    list: ClassVar[m.Operation[[ApiTokens.FilterSpec | None], tuple[ApiTokens.Info, ...]]] = m.Operation(
        "resphere.tokens",
        "list",
        input=ListInput,
        output=lambda: tuple[ApiTokens.Info, ...],
        api=m.Route("GET", "/api/resphere/tokens", 200, query=("filter.owners",)),
        errors=REFUSALS,
        releases=ALL_RELEASES,
    )

    get: ClassVar[m.Operation[[str], ApiTokens.Info]] = m.Operation(
        "resphere.tokens",
        "get",
        input=TokenInput,
        output=lambda: ApiTokens.Info,
        api=m.Route("GET", "/api/resphere/tokens/{token}", 200),
        errors=("not_found", *REFUSALS),
        releases=ALL_RELEASES,
    )

    delete: ClassVar[m.Operation[[str], None]] = m.Operation(
        "resphere.tokens",
        "delete",
        input=TokenInput,
        api=m.Route("DELETE", "/api/resphere/tokens/{token}", 204),
        errors=("not_found", *REFUSALS),
        releases=ALL_RELEASES,
    )
