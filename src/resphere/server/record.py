"""What is told of a call in the audit trail."""

from __future__ import annotations

from functools import cache

import msgspec

from resphere.access.defaults import requirements_of
from resphere.audit.escape import bounded
from resphere.audit.record import MOST_CHARACTERS, AuditRecord, Decision
from resphere.auth.credentials import Credentials
from resphere.contract.errors import Unauthenticated, Unauthorized, VapiError
from resphere.contract.model import AnyOperation
from resphere.contract.secrecy import masked, secret_parameters
from resphere.dialects.base import Resolved
from resphere.server.exchange import Caller, Exchange

CLIENT_GONE = 499
"""The status of a call that nobody waits for any more, as nginx has it."""

SHOWN = {"session_id": "session", "user": "password"}
"""The methods of authentication that credentials are shown for; others have the name of their field."""

BESIDE = frozenset({"password", "client"})
"""Fields of credentials that are shown with others."""

MOST_CLIENT, MOST_METHOD, MOST_PATH, MOST_USER, MOST_TARGET, MOST_REASON, MOST_USER_AGENT = (
    MOST_CHARACTERS[name] for name in ("client", "method", "path", "user", "target", "reason", "user_agent")
)


def audit_record(exchange: Exchange, duration_seconds: float) -> AuditRecord:
    """The record of a call that is over."""
    request, caller, error, reply = exchange.request, exchange.caller, exchange.error, exchange.reply
    resolved = exchange.resolved
    operation = target = privilege = error_type = message_id = None
    if resolved is not None:
        told = told_of(resolved.operation)
        operation = told.operation
        privilege = told.privilege if caller is not None else None
        target = target_of(resolved, told) if resolved.parameters else None
    session = user = token = tried_user = authentication = reason = None
    if caller is not None:
        session, authentication = caller.session_tag, caller.method
        user = bounded(caller.session.user, MOST_USER)
        token = bounded(caller.token, MOST_USER) if caller.token else None
    elif isinstance(error, Unauthenticated) and exchange.outcome is not None:
        tried_user, authentication = tried(exchange.outcome.credentials)
        reason = bounded(str(error.__cause__), MOST_REASON) if error.__cause__ is not None else None
    decision = Decision.ALLOWED if exchange.authorized else None
    if error is not None:
        error_type, message_id = error.error_type, error.messages[0].id if error.messages else None
        decision = refusal_by(error, caller) or decision
        privilege = missing_privilege(error) or privilege
    client, method, path = request.client, request.method, masked(request.path)
    if len(path) > MOST_PATH or len(client) > MOST_CLIENT or len(method) > MOST_METHOD:
        client, method, path = bounded(client, MOST_CLIENT), bounded(method, MOST_METHOD), bounded(path, MOST_PATH)
    user_agent = request.header(b"user-agent")
    return AuditRecord(  # by position: two dozen names would cost more than all the rest of this
        exchange.started,
        duration_seconds,
        exchange.request_id,
        client,
        method,
        path,
        reply.status if reply is not None else CLIENT_GONE,
        (reply.size_bytes or 0) if reply is not None else 0,
        session,
        user,
        tried_user,
        authentication,
        token,
        exchange.dialect.name,
        operation,
        target,
        decision,
        privilege,
        error_type,
        message_id,
        reason,
        bounded(user_agent, MOST_USER_AGENT) if user_agent else None,
        exchange.span.trace_id if exchange.span is not None else None,
    )


class Told(msgspec.Struct, frozen=True, gc=False):
    """What the records of an operation's calls have in common: its id, the first privilege that a caller needs
    (``None`` where none is needed), and which of its parameters are secrets."""

    operation: str
    privilege: str | None
    secret_parameters: tuple[str, ...]


@cache
def told_of(operation: AnyOperation) -> Told:
    """What the records of an operation's calls have in common."""
    privileges = (name for requirement in requirements_of(operation) for name in requirement.privileges)
    return Told(operation.id, next(privileges, None), secret_parameters(operation))


def tried(credentials: Credentials) -> tuple[str | None, str | None]:
    """The name that was tried, and what was shown: ``password``, ``session``, ``bearer``..., several with ``+``."""
    user = credentials.user
    fields = [name for name in credentials.__struct_fields__ if getattr(credentials, name) and name not in BESIDE]
    kinds = "+".join(SHOWN.get(name, name) for name in fields)
    return bounded(user, MOST_USER) if user else None, kinds or None


def refusal_by(error: VapiError, caller: Caller | None) -> Decision | None:
    """Why the caller was not let through, where that is what the error says."""
    if isinstance(error, Unauthenticated) and caller is None:
        return Decision.UNAUTHENTICATED
    return Decision.UNAUTHORIZED if isinstance(error, Unauthorized) else None


def missing_privilege(error: VapiError) -> str | None:
    """The privilege that was missing, where that is what the error says."""
    return error.privilege if isinstance(error, Unauthorized) else None


def target_of(resolved: Resolved, told: Told) -> str | None:
    """The first parameter of the path, unless that is a secret."""
    name = next(iter(resolved.parameters), None)
    if name is None or name in told.secret_parameters:
        return None
    return bounded(resolved.parameters[name], MOST_TARGET)
