"""What events bring to a server."""

from __future__ import annotations

from resphere.events.reports import REPORTS
from resphere.events.retention import Retention
from resphere.events.webhooks import TABLES
from resphere.replica.wiring import Sweep, Wiring

WIRING = Wiring(tables=(*TABLES, REPORTS), sweeps=(Sweep(Retention, Retention.sweep),))
