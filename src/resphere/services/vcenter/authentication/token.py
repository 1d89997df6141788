"""``com.vmware.vcenter.authentication.token``: the token endpoint of OAuth 2 (RFC 6749), for exchanges (RFC 8693)."""

from __future__ import annotations

from resphere.contract.errors import OAuthInvalidGrant, OAuthInvalidRequest, OAuthInvalidScope
from resphere.contract.generated.oauth2 import TokenInfo
from resphere.contract.generated.vcenter_authentication import Token
from resphere.services.call import Call
from resphere.services.checks.token_exchange import Refusals, exchanged
from resphere.services.registry import implements

REFUSALS = Refusals(OAuthInvalidGrant, OAuthInvalidRequest, OAuthInvalidScope)


@implements(Token.issue)
async def issue(call: Call, spec: Token.IssueSpec) -> TokenInfo:
    """A token for whom the subject token names; it is good for no longer than that one.

    :raises OAuthInvalidGrant: that one is not good, or something else than an exchange is asked for.
    :raises OAuthInvalidScope: the new one should be for another server.
    :raises OAuthInvalidRequest: something is missing, or it cannot be had of such a type, or from such a one.
    """
    issued_type, issued = await exchanged(call, spec, REFUSALS)
    return TokenInfo(
        access_token=issued.text,
        issued_token_type=issued_type,
        token_type=issued.method,
        expires_in=int(issued.lifetime.total_seconds()),
    )
