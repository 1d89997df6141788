"""``com.vmware.vcenter.tokenservice.token_exchange``: a token of an identity provider for one of this vCenter's own
(RFC 8693)."""

from __future__ import annotations

import base64
import binascii

from resphere.auth.federation import ACCESS_TOKEN
from resphere.auth.oidc.tokens import BadToken
from resphere.contract.errors import InvalidGrant, InvalidRequest, InvalidScope, VapiError, message
from resphere.contract.generated.vcenter_tokenservice import TokenExchange
from resphere.services.call import Call
from resphere.services.registry import implements

EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
ID_TOKEN = "urn:ietf:params:oauth:token-type:id_token"  # noqa: S105 - a name (RFC 8693, 3)
SUBJECT_TYPES = (ACCESS_TOKEN, ID_TOKEN)


@implements(TokenExchange.exchange)
async def exchange(call: Call, spec: TokenExchange.ExchangeSpec) -> TokenExchange.Info:
    """A token for whom the subject token names; it is good for no longer than that one.

    :raises InvalidGrant: that one is not good, or something else than an exchange is asked for.
    :raises InvalidScope: the new one should be for another server.
    :raises InvalidRequest: it cannot be had of such a type, or from such a one.
    """
    if spec.grant_type != EXCHANGE:
        raise refused(InvalidGrant, "grant_type", f"must be {EXCHANGE}")
    if spec.subject_token_type not in SUBJECT_TYPES:
        raise refused(InvalidRequest, "subject_token_type", f"must be one of {', '.join(SUBJECT_TYPES)}")
    if (spec.actor_token is None) != (spec.actor_token_type is None):
        raise refused(InvalidRequest, "actor_token", "and actor_token_type go together")
    if spec.audience not in (None, call.vcenter):
        raise refused(InvalidScope, "audience", "must be this vCenter's instance UUID, or left out")
    if spec.resource is not None or spec.scope is not None:
        raise refused(InvalidScope, "resource" if spec.resource is not None else "scope", "cannot be chosen")
    federation, moment = call.environment.federation, call.environment.now()
    wanted = spec.requested_token_type or ACCESS_TOKEN
    issue = federation.issuers.get(wanted)
    if issue is None:
        known = ", ".join(federation.issuers)
        raise refused(InvalidRequest, "requested_token_type", f"must be one of {known}")
    try:
        taken = await federation.by_identity_token.take(plain(spec.subject_token), moment)
        if spec.actor_token is not None and spec.actor_token_type in SUBJECT_TYPES:
            actor = await federation.by_identity_token.take(plain(spec.actor_token), moment)
            if actor.principal.name.casefold() != taken.principal.name.casefold():
                raise BadToken("the actor token names another user")
    except BadToken as error:
        raise refused(InvalidGrant, "subject_token", "is not good") from error
    issued = await issue(taken.principal, moment, taken.until)
    return TokenExchange.Info(
        access_token=issued.text,
        issued_token_type=wanted,
        token_type=issued.method,
        expires_in=int(issued.lifetime.total_seconds()),
    )


def plain(token: str) -> str:
    """A token as it is: clients send it so, though vCenter's documentation has it in base64 once more."""
    if "." in token:
        return token
    try:
        return base64.b64decode(token, validate=True).decode("ascii")
    except (binascii.Error, UnicodeDecodeError):
        raise BadToken("it has no form of a token") from None


def refused(error: type[VapiError], field: str, why: str) -> VapiError:
    """A refusal that names the field."""
    return error(message(f"resphere.tokenservice.{field}", "spec.{0} {1}.", field, why))
