"""What limits keep in the store."""

from __future__ import annotations

from resphere.limits.known import KNOWN_ADDRESSES, KnownAddresses
from resphere.replica.wiring import Sweep, Wiring

WIRING = Wiring(tables=(KNOWN_ADDRESSES,), sweeps=(Sweep(KnownAddresses, KnownAddresses.sweep),))
