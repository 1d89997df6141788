"""What backups and restorations bring to a server."""

from __future__ import annotations

from resphere.recovery.record import JOBS, RECONCILIATIONS, RESTORES, SCHEDULES
from resphere.recovery.recovery import Recovery
from resphere.replica.wiring import Sweep, Wiring

WIRING = Wiring(tables=(JOBS, SCHEDULES, RESTORES, RECONCILIATIONS), sweeps=(Sweep(Recovery, Recovery.sweep),))
"""One elected worker looks at the clock of the schedules; whoever is asked for a backup makes it."""
