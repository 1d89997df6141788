"""What idempotency does now and then."""

from __future__ import annotations

from resphere.idempotency.replies import KeptReplies
from resphere.replica.wiring import Sweep, Wiring

WIRING = Wiring(sweeps=(Sweep(KeptReplies, KeptReplies.sweep),))
