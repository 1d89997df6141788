"""``com.vmware.vcenter.system``: which release of the API a client and this server both speak."""

from __future__ import annotations

import re

from resphere.contract.generated.vcenter import System
from resphere.contract.releases import numbers
from resphere.services.call import Call
from resphere.services.registry import implements

_RELEASE = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})+")


@implements(System.hello)
async def hello(call: Call, spec: System.HelloSpec) -> System.HelloResult:
    """The newest of the client's releases that is served, empty where none is. Clients ask before they log in."""
    served = [numbers(release) for release in call.environment.product.api_releases]
    known = [text for text in spec.api_releases if _RELEASE.fullmatch(text)]
    shared = [text for text in known if min(served) <= numbers(text)[:2] <= max(served)]
    return System.HelloResult(api_release=max(shared, key=numbers, default=""))
