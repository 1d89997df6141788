"""What can be done to an inventory that tells of nothing outside."""

from __future__ import annotations

from resphere.contract.errors import Unsupported, message
from resphere.services.call import Call


def require_simulated(call: Call) -> None:
    """Refuse where the inventory tells of machines that are elsewhere.

    :raises Unsupported: it does.
    """
    if not call.provider.capabilities.at_once:
        raise Unsupported(
            message(
                "resphere.provider.not_simulated",
                "The machines of the provider {0} would not follow: this is for the simulator.",
                call.environment.product.provider,
            )
        )
