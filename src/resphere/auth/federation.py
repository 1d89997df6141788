"""What services work with of other identity sources."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta

import msgspec

from resphere.access.principal import Principal
from resphere.auth.by_identity_token import ByIdentityToken
from resphere.auth.ldap.source import Directories
from resphere.auth.oidc.own_tokens import OwnTokens
from resphere.auth.oidc.publishing import Published

ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105 - a name (RFC 8693, 3)


class IssuedToken(msgspec.Struct, frozen=True):
    """A token of some type, and for how long it is good; ``method`` says how it is used (``Bearer``, ``N_A``)."""

    text: str
    method: str
    lifetime: timedelta


Issue = Callable[[Principal, datetime, datetime], Awaitable[IssuedToken]]
"""Issues a token to a principal at a moment, good until another at most."""


class Federation(msgspec.Struct, frozen=True):
    """What providers publish, directories, the taking of tokens, and who issues which type of them (RFC 8693)."""

    published: Published
    directories: Directories
    by_identity_token: ByIdentityToken
    issuers: Mapping[str, Issue]


def issues_access_tokens(own: OwnTokens) -> Issue:
    """Access tokens of this vCenter's own."""

    async def issue(principal: Principal, moment: datetime, until: datetime) -> IssuedToken:
        issued = own.issue(principal, moment, until)
        return IssuedToken(issued.text, "Bearer", issued.lifetime)

    return issue
