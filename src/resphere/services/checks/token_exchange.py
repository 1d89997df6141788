"""What the two operations share that exchange tokens (RFC 8693)."""

from __future__ import annotations

import logging

import msgspec

from resphere.auth.by_identity_token import Taken
from resphere.auth.federation import ACCESS_TOKEN, IssuedToken
from resphere.auth.oidc.tokens import BadToken
from resphere.contract.errors import VapiError, message
from resphere.contract.generated.vcenter_authentication import Token
from resphere.contract.generated.vcenter_tokenservice import TokenExchange
from resphere.services.call import Call

log = logging.getLogger(__name__)

EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"


class Refusals(msgspec.Struct, frozen=True):
    """The errors by which an operation refuses: what is not good, what makes no sense, what is for others."""

    grant: type[VapiError]
    request: type[VapiError]
    scope: type[VapiError]


async def exchanged(
    call: Call, spec: Token.IssueSpec | TokenExchange.ExchangeSpec, refusals: Refusals
) -> tuple[str, IssuedToken]:
    """The type of the new token, and that token: for whom the subject token names, good for no longer than that one.

    :raises VapiError: one of ``refusals``.
    :raises ServiceUnavailable: an issuer cannot be asked.
    """
    federation, moment = call.environment.federation, call.environment.now()
    if spec.grant_type != EXCHANGE:
        raise refused(refusals.grant, "grant_type", f"must be {EXCHANGE}")
    if spec.subject_token is None or spec.subject_token_type is None:
        field = "subject_token" if spec.subject_token is None else "subject_token_type"
        raise refused(refusals.request, field, "must be set")
    if (spec.actor_token is None) != (spec.actor_token_type is None):
        raise refused(refusals.request, "actor_token", "and actor_token_type go together")
    for field, given in (("subject_token_type", spec.subject_token_type), ("actor_token_type", spec.actor_token_type)):
        if given is not None and given not in federation.takers:
            raise refused(refusals.request, field, f"must be one of {', '.join(federation.takers)}")
    if spec.audience not in (None, call.vcenter):
        raise refused(refusals.scope, "audience", "must be this vCenter's instance UUID, or left out")
    if spec.resource is not None or spec.scope is not None:
        raise refused(refusals.scope, "resource" if spec.resource is not None else "scope", "cannot be chosen")
    wanted = spec.requested_token_type or ACCESS_TOKEN
    issue = federation.issuers.get(wanted)
    if issue is None:
        raise refused(refusals.request, "requested_token_type", f"must be one of {', '.join(federation.issuers)}")
    try:
        taken = await take(call, spec.subject_token_type, spec.subject_token)
        if spec.actor_token is not None and spec.actor_token_type is not None:
            actor = await take(call, spec.actor_token_type, spec.actor_token)
            if not is_same(actor, taken):
                raise BadToken("the actor token names another user")
    except BadToken as error:
        log.warning("a token was not exchanged: %s", error)
        raise refused(refusals.grant, "subject_token", "is not good") from error
    return wanted, await issue(call.environment.identities.accounts.joined(taken.principal), moment, taken.until)


async def take(call: Call, token_type: str, token: str) -> Taken:
    """Whom a token names.

    :raises BadToken: it is not good now, for this caller.
    """
    moment = call.environment.now()
    taken = await call.environment.federation.takers[token_type](token, moment)
    if taken.until <= moment:
        # Within the skew of clocks it is still taken, but nothing is left of it.
        raise BadToken("it has no time left")
    if taken.bound and not is_its_own(call, taken):
        raise BadToken("it is for the holder of a key, and the caller is another")
    return taken


def is_its_own(call: Call, taken: Taken) -> bool:
    """Whether the caller is, with all its rights, whom the token names: so it gains nothing that it has not got."""
    caller = call.session.principal
    same = caller.name.casefold() == taken.principal.name.casefold() and caller.source == taken.principal.source
    return same and caller.scope is None and call.session.token is None


def is_same(one: Taken, other: Taken) -> bool:
    """Whether two tokens name the same user."""
    first, second = one.principal, other.principal
    return first.name.casefold() == second.name.casefold() and first.source == second.source


def refused(error: type[VapiError], field: str, why: str) -> VapiError:
    """A refusal that names the field."""
    return error(message(f"resphere.tokenservice.{field}", "spec.{0} {1}.", field, why))
