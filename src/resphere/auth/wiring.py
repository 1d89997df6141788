"""What accounts and sessions bring to a server."""

from __future__ import annotations

from resphere.auth.accounts import ACCOUNTS
from resphere.auth.administration import RULES
from resphere.auth.sessions import SESSIONS, Sessions
from resphere.replica.wiring import Sweep, Wiring

WIRING = Wiring(tables=(ACCOUNTS, SESSIONS), rules=RULES, sweeps=(Sweep(Sessions, Sessions.sweep),))
