"""``resphere.navigation``: what ``/rest`` itself answers, and each address below it to ``?~method=OPTIONS``."""

from __future__ import annotations

from resphere.contract.extensions.navigation import Navigation
from resphere.contract.generated.vapi_rest_navigation import OperationModel, Root
from resphere.contract.metamodel.navigation import REST, root
from resphere.services.call import Call
from resphere.services.checks.navigation import required_at
from resphere.services.registry import implements


@implements(Navigation.root)
async def get_root(call: Call) -> Root.Info:
    """Where components and resources are listed, as the client has reached this server."""
    return root(call.origin + REST)


@implements(Navigation.options)
async def options(call: Call, url: str) -> tuple[OperationModel, ...]:
    """What may be done at a URL; at that of a service also with what is below it.

    :raises NotFound: nothing stands there.
    """
    return required_at(call, url, call.origin + REST)
