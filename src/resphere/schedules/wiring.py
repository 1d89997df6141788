"""What schedules bring to a server."""

from __future__ import annotations

from resphere.replica.wiring import Wiring
from resphere.schedules.record import RUNS, SCHEDULES

WIRING = Wiring(tables=(SCHEDULES, RUNS))
"""One elected worker runs their clock."""
