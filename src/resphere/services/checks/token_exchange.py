"""What the two operations share that exchange tokens (RFC 8693)."""

from __future__ import annotations

import logging

import msgspec

from resphere.auth.by_identity_token import Taken
from resphere.auth.credentials import BadProof
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


class Given(msgspec.Struct, frozen=True):
    """A token, and of which type it is said to be."""

    type: str
    token: str


async def exchanged(
    call: Call, spec: Token.IssueSpec | TokenExchange.ExchangeSpec, refusals: Refusals
) -> tuple[str, IssuedToken]:
    """The type of the new token, and that token: for whom the subject token names, good for no longer than that one.

    :raises VapiError: one of ``refusals``.
    :raises ServiceUnavailable: an issuer cannot be asked.
    """
    federation, moment = call.environment.federation, call.environment.present()
    subject = require_sound(call, spec, refusals)
    wanted = spec.requested_token_type or ACCESS_TOKEN
    issue = federation.issuers.get(wanted)
    if issue is None:
        raise refused(refusals.request, "requested_token_type", f"must be one of {', '.join(federation.issuers)}")
    actor = None if spec.actor_token is None else Given(spec.actor_token_type or "", spec.actor_token)
    try:
        taken = await take_for(call, subject, actor)
    except (BadToken, BadProof) as error:
        log.warning("a token was not exchanged: %s", error)
        raise refused(refusals.grant, "subject_token", "is not good") from error
    return wanted, await issue(call.environment.identities.accounts.joined(taken.principal), moment, taken.until)


def require_sound(call: Call, spec: Token.IssueSpec | TokenExchange.ExchangeSpec, refusals: Refusals) -> Given:
    """The subject token of what can be exchanged at all.

    :raises VapiError: one of ``refusals``.
    """
    if spec.grant_type != EXCHANGE:
        raise refused(refusals.grant, "grant_type", f"must be {EXCHANGE}")
    if spec.subject_token is None or spec.subject_token_type is None:
        field = "subject_token" if spec.subject_token is None else "subject_token_type"
        raise refused(refusals.request, field, "must be set")
    if (spec.actor_token is None) != (spec.actor_token_type is None):
        raise refused(refusals.request, "actor_token", "and actor_token_type go together")
    takers = call.environment.federation.takers
    for field, given in (("subject_token_type", spec.subject_token_type), ("actor_token_type", spec.actor_token_type)):
        if given is not None and given not in takers:
            raise refused(refusals.request, field, f"must be one of {', '.join(takers)}")
    if spec.audience not in (None, call.vcenter):
        raise refused(refusals.scope, "audience", "must be this vCenter's instance UUID, or left out")
    if spec.resource is not None or spec.scope is not None:
        raise refused(refusals.scope, "resource" if spec.resource is not None else "scope", "cannot be chosen")
    return Given(spec.subject_token_type, spec.subject_token)


async def take_for(call: Call, subject: Given, actor: Given | None) -> Taken:
    """Whom the subject token names, and the actor token too, where there is one.

    :raises BadToken: one of them is not good.
    :raises BadProof: the subject token was taken before, and may be once.
    """
    taken = await take(call, subject)
    if actor is not None and not is_same(await take(call, actor), taken):
        raise BadToken("the actor token names another user")
    single_use = call.environment.federation.single_use
    if single_use is not None and taken.once is not None:
        await single_use.take(taken.once)
    return taken


async def take(call: Call, given: Given) -> Taken:
    """Whom a token names.

    :raises BadToken: it is not good now, for this caller.
    """
    moment = call.environment.present()
    taken = await call.environment.federation.takers[given.type](given.token, moment)
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
