"""What the services bring to a server: what they keep made of objects. Their operations are found by the registry."""

from __future__ import annotations

from resphere.replica.wiring import Wiring
from resphere.services.vcenter.vm.machines import LISTING

WIRING = Wiring(derived=(LISTING,))
