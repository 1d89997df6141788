"""Work that is done later in the caller's name: by bulk operations and by schedules."""

from __future__ import annotations

from resphere.auth.groups import foreign
from resphere.auth.requesters import Requester, requester
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
    return requester(principal, call.session.token, call.client, foreign(principal.groups))
