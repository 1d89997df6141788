"""What schedules bring to a server."""

from __future__ import annotations

from resphere.replica.wiring import Wiring
from resphere.schedules.record import CURSORS, RUNS, SCHEDULES

WIRING = Wiring(tables=(SCHEDULES, RUNS, CURSORS))
"""One elected worker runs their clock, and one listens to events for them."""
