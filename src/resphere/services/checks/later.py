"""Work that is done later in the caller's name: by bulk operations and by schedules."""

from __future__ import annotations

from resphere.access.principal import Scope
from resphere.auth.groups import foreign
from resphere.auth.requesters import Requester
from resphere.auth.requesters import requester as as_requester
from resphere.bulk.acceptance import Acceptance
from resphere.bulk.bulks import Bulks
from resphere.services.call import Call
from resphere.services.registry import implementations


def acceptance(call: Call) -> Acceptance:
    """What may be done so on this server."""
    return accepted_by(call.environment.bulks)


def accepted_by(bulks: Bulks) -> Acceptance:
    """What bulk operations accept."""
    return Acceptance(bulks.operations, implementations().__contains__)


def caller_as_requester(call: Call) -> Requester:
    """The caller, to be let in again when the work is done."""
    principal = call.session.principal
    return as_requester(principal, call.session.token, call.client, foreign(principal.groups))


def asked_for_by(call: Call, requester: Requester) -> bool:
    """Whether it is the caller who has asked for that. Within a narrowed scope only what was asked for within the same
    is the caller's."""
    session = call.session
    if requester.user != session.user or requester.source != session.principal.source:
        return False
    return session.principal.scope in (None, Scope()) or requester.token == session.token
