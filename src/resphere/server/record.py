"""What is told of a call in the audit trail."""

from __future__ import annotations

from functools import cache

from resphere.access.defaults import requirements_of
from resphere.audit.record import AuditRecord
from resphere.contract.errors import Unauthorized, VapiError
from resphere.contract.model import AnyOperation
from resphere.contract.secrecy import masked, secret_parameters
from resphere.dialects.base import Resolved
from resphere.server.exchange import Caller, Exchange

CLIENT_GONE = 499
"""The status of a call that nobody waits for any more, as nginx has it."""


def audit_record(exchange: Exchange, duration_seconds: float) -> AuditRecord:
    """The record of a call that is over."""
    request, resolved, caller = exchange.request, exchange.resolved, exchange.caller
    error, reply = exchange.error, exchange.reply
    return AuditRecord(
        start_time=exchange.started,
        duration_seconds=duration_seconds,
        request_id=exchange.request_id,
        client=request.client,
        method=request.method,
        path=masked(request.path),
        status=reply.status if reply else CLIENT_GONE,
        bytes_out=(reply.size_bytes or 0) if reply else 0,
        session=caller.session_tag if caller else None,
        user=caller.session.user if caller else None,
        dialect=exchange.dialect.name,
        operation=resolved.operation.id if resolved else None,
        target=target_of(resolved) if resolved else None,
        privilege=privilege_of(error, resolved, caller),
        error_type=error.error_type if error else None,
        message_id=error.messages[0].id if error and error.messages else None,
        user_agent=request.header(b"user-agent"),
    )


def privilege_of(error: VapiError | None, resolved: Resolved | None, caller: Caller | None) -> str | None:
    """The privilege that was missing, or else the first that was asked for; ``None`` where it did not come to that."""
    if isinstance(error, Unauthorized) and error.privilege is not None:
        return error.privilege
    return first_privilege(resolved.operation) if resolved and caller else None


@cache
def first_privilege(operation: AnyOperation) -> str | None:
    """The first privilege that a caller of the operation needs, ``None`` where none is needed."""
    return next((name for requirement in requirements_of(operation) for name in requirement.privileges), None)


def target_of(resolved: Resolved) -> str | None:
    """The first parameter of the path, unless that is a secret."""
    name = next(iter(resolved.parameters), None)
    return None if name is None or name in secret_parameters(resolved.operation) else resolved.parameters[name]
