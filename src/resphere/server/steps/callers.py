"""Who calls: what a request shows of that, and who was let in by it."""

from __future__ import annotations

import msgspec

from resphere.auth.authentication import Identity
from resphere.auth.credentials import Credentials
from resphere.auth.own import LoginSession, OpenSession
from resphere.dialects.base import Outcome
from resphere.server.exchange import Caller, Exchange
from resphere.server.steps.equipment import Equipment


def shown(exchange: Exchange, outcome: Outcome) -> Credentials:
    """What the request shows of its caller: what the dialect found in it, and the certificate that a proxy has seen."""
    certificate = exchange.request.certificate
    found = outcome.credentials
    return found if certificate is None else msgspec.structs.replace(found, certificate=certificate)


def identified(pipeline: Equipment, identity: Identity, exchange: Exchange) -> Caller:
    """The caller who was let in, and what it sees."""
    principal, session, token = identity.principal, identity.session, identity.token
    tag = None if session is None else session.tag
    view = pipeline.views.of(principal)
    view = pipeline.environment.checks.watched(view, principal.name, tag, exchange.request_id)
    name = None if token is None else token.name
    if session is None:
        opener, client = None if token is None else token.id, exchange.request.client
        own = LoginSession(pipeline.sessions, principal, identity.method, client, opener)
        return Caller(own, view, method=identity.method, token=name)
    return Caller(OpenSession(pipeline.sessions, session, principal), view, tag, identity.method, name)
