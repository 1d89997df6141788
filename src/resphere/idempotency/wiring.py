"""What idempotency keeps in the store."""

from __future__ import annotations

from resphere.idempotency.record import KEPT_REPLIES, SIZES
from resphere.idempotency.replies import KeptReplies
from resphere.replica.wiring import Sweep, Wiring

WIRING = Wiring(tables=(KEPT_REPLIES,), derived=(SIZES,), sweeps=(Sweep(KeptReplies, KeptReplies.sweep),))
