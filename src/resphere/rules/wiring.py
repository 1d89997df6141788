"""What the rules bring to a server: what they count over many objects."""

from __future__ import annotations

from resphere.replica.wiring import Wiring
from resphere.rules.placement.hosts import LOAD
from resphere.rules.space import FILES

WIRING = Wiring(derived=(FILES, LOAD))
