"""What bulk operations bring to a server."""

from __future__ import annotations

from resphere.bulk.bulks import Bulks
from resphere.bulk.record import BULKS, MARKS, OUTCOMES, PARTS, SHARES
from resphere.replica.wiring import Sweep, Wiring

WIRING = Wiring(tables=(BULKS, PARTS, SHARES, OUTCOMES, MARKS), sweeps=(Sweep(Bulks, Bulks.sweep),))
