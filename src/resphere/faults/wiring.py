"""What faults keep in the store."""

from __future__ import annotations

from resphere.faults.record import FAULT_RULES
from resphere.replica.wiring import Wiring

WIRING = Wiring(tables=(FAULT_RULES,))
"""The rules."""
