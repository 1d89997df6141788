"""What events bring to a server."""

from __future__ import annotations

from resphere.events.retention import Retention
from resphere.replica.wiring import Sweep, Wiring

WIRING = Wiring(sweeps=(Sweep(Retention, Retention.sweep),))
