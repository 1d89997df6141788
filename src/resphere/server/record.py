"""What is told of a call in the audit trail."""

from __future__ import annotations

from functools import cache

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
    request, resolved, caller = exchange.request, exchange.resolved, exchange.caller
    error, reply = exchange.error, exchange.reply
    tried_user, authentication, reason = None, caller.method if caller else None, None
    if caller is None and isinstance(error, Unauthenticated) and exchange.outcome is not None:
        tried_user, authentication = tried(exchange.outcome.credentials)
        reason = str(error.__cause__) if error.__cause__ is not None else None
    user_agent = request.header(b"user-agent")
    return AuditRecord(
        start_time=exchange.started,
        duration_seconds=duration_seconds,
        request_id=exchange.request_id,
        client=bounded(request.client, MOST_CLIENT),
        method=bounded(request.method, MOST_METHOD),
        path=bounded(masked(request.path), MOST_PATH),
        status=reply.status if reply else CLIENT_GONE,
        bytes_out=(reply.size_bytes or 0) if reply else 0,
        session=caller.session_tag if caller else None,
        user=bounded(caller.session.user, MOST_USER) if caller else None,
        tried_user=tried_user,
        authentication=authentication,
        token=bounded(caller.token, MOST_USER) if caller and caller.token else None,
        dialect=exchange.dialect.name,
        operation=resolved.operation.id if resolved else None,
        target=target_of(resolved) if resolved else None,
        decision=decision_on(exchange),
        privilege=privilege_of(error, resolved, caller),
        error_type=error.error_type if error else None,
        message_id=error.messages[0].id if error and error.messages else None,
        reason=bounded(reason, MOST_REASON) if reason else None,
        user_agent=bounded(user_agent, MOST_USER_AGENT) if user_agent else None,
    )


def tried(credentials: Credentials) -> tuple[str | None, str | None]:
    """The name that was tried, and what was shown: ``password``, ``session``, ``bearer``..., several with ``+``."""
    user = credentials.user
    fields = [name for name in credentials.__struct_fields__ if getattr(credentials, name) and name not in BESIDE]
    kinds = "+".join(SHOWN.get(name, name) for name in fields)
    return bounded(user, MOST_USER) if user else None, kinds or None


def decision_on(exchange: Exchange) -> Decision | None:
    """Whether the call was let through; ``None`` where it did not come to that."""
    error = exchange.error
    if error is None:
        return Decision.ALLOWED if exchange.authorized else None
    if isinstance(error, Unauthenticated) and exchange.caller is None:
        return Decision.UNAUTHENTICATED
    if isinstance(error, Unauthorized):
        return Decision.UNAUTHORIZED
    return Decision.ALLOWED if exchange.authorized else None


def privilege_of(error: VapiError | None, resolved: Resolved | None, caller: Caller | None) -> str | None:
    """The privilege that was missing, or else the first that was asked for; ``None`` where it did not come to that."""
    if error is not None and isinstance(error, Unauthorized) and error.privilege is not None:
        return error.privilege
    return first_privilege(resolved.operation) if resolved and caller else None


@cache
def first_privilege(operation: AnyOperation) -> str | None:
    """The first privilege that a caller of the operation needs, ``None`` where none is needed."""
    return next((name for requirement in requirements_of(operation) for name in requirement.privileges), None)


def target_of(resolved: Resolved) -> str | None:
    """The first parameter of the path, unless that is a secret."""
    name = next(iter(resolved.parameters), None)
    if name is None or name in secret_parameters(resolved.operation):
        return None
    return bounded(resolved.parameters[name], MOST_TARGET)
