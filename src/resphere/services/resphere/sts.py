"""``resphere.sts``: the Security Token Service."""

from __future__ import annotations

import base64
from datetime import datetime
from pathlib import Path

from resphere.auth.authentication import required
from resphere.auth.federated import present, unavailable
from resphere.auth.ldap.connection import DirectoryUnavailable
from resphere.auth.own import LoginSession
from resphere.auth.saml.assertion import Confirmation
from resphere.auth.saml.tokens import Issued, KeyType, SecurityTokens, Wanted
from resphere.contract.extensions import sts
from resphere.contract.model import Secret
from resphere.services.call import Call
from resphere.services.registry import implements

WSDL = (Path(__file__).parent / "sts.wsdl").read_bytes()


@implements(sts.SecurityTokens.issue)
async def issue(
    call: Call,
    key_type: str | None,
    certificate: str | None,
    created: datetime | None,
    expires: datetime | None,
    renewable: bool,
    delegatable: bool,
    audiences: tuple[str, ...],
    act_as: Secret | None,
    presented: Secret | None,
) -> sts.IssuedToken:
    """A token of the caller, or of the user that the caller acts for."""
    wanted = Wanted(
        key_type=key_type,
        certificate=None if certificate is None else base64.b64decode(certificate),
        created=created,
        expires=expires,
        renewable=renewable,
        delegatable=delegatable,
        audiences=audiences,
        act_as=act_as,
        presented=presented,
    )
    caller = call.session
    if not isinstance(caller, LoginSession):
        raise required()
    return told(tokens(call).issue(caller.principal, caller.method, wanted))


@implements(sts.SecurityTokens.renew)
async def renew(call: Call, token: Secret, created: datetime | None, expires: datetime | None) -> sts.IssuedToken:
    """The token by which the caller was let in, with a new time, and with what a directory tells of its user now.

    :raises ServiceUnavailable: the directory cannot be asked.
    """
    directories, principal = call.environment.federation.directories, call.session.principal
    try:
        subject = await present(call.unfiltered, directories, principal)
    except DirectoryUnavailable as error:
        raise unavailable() from error
    return told(tokens(call).renew(token, Wanted(created=created, expires=expires), subject))


@implements(sts.SecurityTokens.validate)
async def validate(call: Call, token: Secret) -> bool:
    """Whether the token is good now."""
    return tokens(call).is_valid(token)


@implements(sts.SecurityTokens.describe)
async def describe(call: Call) -> bytes:
    """The service's WSDL."""
    return WSDL.replace(b"ADDRESS", f"{call.origin}/sts/STSService".encode())


def told(issued: Issued) -> sts.IssuedToken:
    """A token as its receiver is told of it."""
    assertion = issued.assertion
    holder = assertion.confirmation is Confirmation.HOLDER_OF_KEY
    return sts.IssuedToken(
        token=Secret(issued.token),
        created=assertion.not_before or assertion.issue_instant,
        expires=assertion.not_on_or_after,
        key_type=KeyType.PUBLIC_KEY if holder else KeyType.BEARER,
        renewable=bool(assertion.limits.renewals),
        delegatable=bool(assertion.limits.delegations),
    )


def tokens(call: Call) -> SecurityTokens:
    """What issues tokens."""
    return call.environment.security_tokens
