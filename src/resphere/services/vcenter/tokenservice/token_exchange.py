"""``com.vmware.vcenter.tokenservice.token_exchange``: a token of an identity provider for one of this vCenter's own
(RFC 8693). Deprecated since 7.0 U2 for ``com.vmware.vcenter.authentication.token``."""

from __future__ import annotations

from resphere.contract.errors import InvalidGrant, InvalidRequest, InvalidScope
from resphere.contract.generated.vcenter_tokenservice import TokenExchange
from resphere.services.call import Call
from resphere.services.checks.token_exchange import Refusals, exchanged
from resphere.services.registry import implements

REFUSALS = Refusals(InvalidGrant, InvalidRequest, InvalidScope)


@implements(TokenExchange.exchange)
async def exchange(call: Call, spec: TokenExchange.ExchangeSpec) -> TokenExchange.Info:
    """A token for whom the subject token names; it is good for no longer than that one.

    :raises InvalidGrant: that one is not good, or something else than an exchange is asked for.
    :raises InvalidScope: the new one should be for another server.
    :raises InvalidRequest: it cannot be had of such a type, or from such a one.
    """
    issued_type, issued = await exchanged(call, spec, REFUSALS)
    return TokenExchange.Info(
        access_token=issued.text,
        issued_token_type=issued_type,
        token_type=issued.method,
        expires_in=int(issued.lifetime.total_seconds()),
    )
