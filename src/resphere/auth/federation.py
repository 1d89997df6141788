"""What services work with of other identity sources."""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta

import msgspec

from resphere.access.principal import Principal
from resphere.auth.by_identity_token import ByIdentityToken, Taken
from resphere.auth.ldap.source import Directories
from resphere.auth.oidc.own_tokens import OwnTokens
from resphere.auth.oidc.publishing import Published
from resphere.auth.oidc.tokens import BadToken
from resphere.auth.principals import Principals
from resphere.auth.replays import Replays
from resphere.auth.saml.documents import MOST_TOKEN_BYTES, BadDocument
from resphere.auth.saml.subjects import Subjects
from resphere.auth.saml.tokens import KeyType, SecurityTokens, Wanted
from resphere.auth.saml.verifying import TokenVerifier, once_of

TOKEN_TYPE = "urn:ietf:params:oauth:token-type:"  # noqa: S105 - the beginning of names (RFC 8693, 3)
ACCESS_TOKEN = f"{TOKEN_TYPE}access_token"
ID_TOKEN = f"{TOKEN_TYPE}id_token"
SAML2 = f"{TOKEN_TYPE}saml2"


class IssuedToken(msgspec.Struct, frozen=True):
    """A token of some type, and for how long it is good; ``method`` says how it is used (``Bearer``, ``N_A``)."""

    text: str
    method: str
    lifetime: timedelta


Issue = Callable[[Principal, datetime, datetime], Awaitable[IssuedToken]]
"""Issues a token to a principal at a moment, good until another at most."""
Take = Callable[[str, datetime], Awaitable[Taken]]
"""Says whom a token names that is to be exchanged.

:raises BadToken: it is not good.
:raises ServiceUnavailable: its issuer cannot be asked for what it takes to tell.
"""


class Federation(msgspec.Struct, frozen=True):
    """What providers publish, directories, who is there to give permissions to, the taking of tokens, and who takes
    and issues which type of them (RFC 8693). ``single_use`` remembers those that were exchanged, where none may be a
    second time."""

    published: Published
    directories: Directories
    principals: Principals
    by_identity_token: ByIdentityToken
    takers: Mapping[str, Take]
    issuers: Mapping[str, Issue]
    single_use: Replays | None = None


def issues_access_tokens(own: OwnTokens) -> Issue:
    """Access tokens of this vCenter's own."""

    async def issue(principal: Principal, moment: datetime, until: datetime) -> IssuedToken:
        issued = own.issue(principal, moment, until)
        return IssuedToken(issued.text, "Bearer", issued.lifetime)

    return issue


def issues_saml_tokens(tokens: SecurityTokens) -> Issue:
    """Bearers' tokens of the STS, in Base64 as vCenter hands them out; ``Authorization: SIGN`` takes them."""

    async def issue(principal: Principal, moment: datetime, until: datetime) -> IssuedToken:
        wanted = Wanted(key_type=KeyType.BEARER, expires=until)
        issued = await asyncio.to_thread(tokens.issue, principal, "token", wanted)
        text = base64.b64encode(issued.token.encode()).decode()
        return IssuedToken(text, "N_A", issued.assertion.not_on_or_after - moment)

    return issue


def takes_identity_tokens(by_identity_token: ByIdentityToken) -> Take:
    """JSON Web Tokens, of identity providers and of this vCenter's own."""

    async def take(text: str, moment: datetime) -> Taken:
        return await by_identity_token.take(plain(text), moment)

    return take


def takes_saml_tokens(verifier: TokenVerifier, subjects: Subjects) -> Take:
    """SAML tokens of issuers that are trusted, in Base64."""

    def taken(text: str, moment: datetime) -> Taken:
        try:
            found = verifier.verify(decoded(text), moment)
            principal = subjects.principal(found)
        except BadDocument as error:
            raise BadToken(f"its SAML token is not good: {error}") from error
        bound = found.assertion.certificate is not None
        return Taken(principal, found.assertion.not_on_or_after, once_of(found), bound)

    async def take(text: str, moment: datetime) -> Taken:
        return await asyncio.to_thread(taken, text, moment)

    return take


def plain(token: str) -> str:
    """A JSON Web Token as it is: clients send it so, though vCenter's documentation has it in Base64 once more.

    :raises BadToken: it is neither.
    """
    return token if "." in token else decoded(token)


def decoded(token: str) -> str:
    """What is in Base64, in the alphabet of addresses too (RFC 8693, 3).

    :raises BadToken: it is not.
    """
    if len(token) > 2 * MOST_TOKEN_BYTES:
        raise BadToken("it is longer than any token")
    try:
        text = token.replace("-", "+").replace("_", "/").rstrip("=")
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True).decode()
    except (binascii.Error, ValueError):
        raise BadToken("it has no form of a token") from None
