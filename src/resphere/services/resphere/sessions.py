"""``resphere.sessions``: open sessions."""

from __future__ import annotations

from resphere.access.principal import canonical_name
from resphere.auth.sessions import Session
from resphere.contract.errors import NotFound, message
from resphere.contract.extensions.sessions import OpenSessions
from resphere.services.call import Call
from resphere.services.checks.own import may_end, require_handled
from resphere.services.registry import implements


@implements(OpenSessions.list)
async def list_sessions(call: Call, filter: OpenSessions.FilterSpec | None) -> tuple[OpenSessions.Info, ...]:
    """The caller's sessions, or everybody's for who may end them; the latest first."""
    sessions = call.environment.identities.sessions
    found = sessions.all_open() if may_end(call) else own(call)
    if filter is not None and filter.users is not None:
        users = set(map(canonical_name, filter.users))
        found = [session for session in found if canonical_name(session.user) in users]
    return tuple(info(call, session) for session in sorted(found, key=lambda each: each.created_time, reverse=True))


@implements(OpenSessions.get)
async def get(call: Call, session: str) -> OpenSessions.Info:
    """One session.

    :raises NotFound: there is none that is called so.
    :raises Unauthorized: it is not the caller's.
    """
    return info(call, require(call, session))


@implements(OpenSessions.delete)
async def delete(call: Call, session: str) -> None:
    """End a session at once, for every worker.

    :raises NotFound: there is none that is called so.
    :raises Unauthorized: it is not the caller's.
    """
    await call.environment.identities.sessions.close(require(call, session))


def own(call: Call) -> list[Session]:
    """The caller's own sessions. An API token has those that it has opened."""
    principal, token = call.session.principal, call.session.token
    found = call.environment.identities.sessions.of_user(principal.name)
    return [each for each in found if each.source == principal.source and token in (None, each.token)]


def require(call: Call, handle: str) -> Session:
    """The session that is called so.

    :raises NotFound: there is none.
    :raises Unauthorized: there may be, and it is not the caller's.
    """

    def absent() -> NotFound:
        return NotFound(message("resphere.session.not_found", "There is no open session {0}.", handle))

    return require_handled(call, handle, own(call), call.environment.identities.sessions.by_handle, absent)


def info(call: Call, session: Session) -> OpenSessions.Info:
    """What is told of a session."""
    parts = call.environment.identities
    token = parts.tokens.get(session.token) if session.token is not None else None
    return OpenSessions.Info(
        session=session.handle,
        user=session.user,
        method=session.method,
        current=call.session.handle == session.handle,
        created_time=session.created_time,
        last_accessed_time=parts.sessions.last_accessed(session),
        client=session.client or None,
        source=session.source,
        token=None if token is None else token.name,
    )
