"""The packages that bring something to a server."""

from __future__ import annotations

from resphere.access.wiring import WIRING as ACCESS
from resphere.auth.wiring import WIRING as AUTH
from resphere.bulk.wiring import WIRING as BULK
from resphere.events.wiring import WIRING as EVENTS
from resphere.faults.wiring import WIRING as FAULTS
from resphere.idempotency.wiring import WIRING as IDEMPOTENCY
from resphere.inventory.wiring import WIRING as INVENTORY
from resphere.libraries.wiring import WIRING as LIBRARIES
from resphere.limits.wiring import WIRING as LIMITS
from resphere.recovery.wiring import WIRING as RECOVERY
from resphere.replica.wiring import WIRING as REPLICA
from resphere.replica.wiring import joined
from resphere.rules.wiring import WIRING as RULES
from resphere.schedules.wiring import WIRING as SCHEDULES
from resphere.services.wiring import WIRING as SERVICES
from resphere.tasks.wiring import WIRING as TASKS

WIRING = joined(
    (
        REPLICA,
        INVENTORY,
        RULES,
        LIBRARIES,
        TASKS,
        EVENTS,
        ACCESS,
        AUTH,
        LIMITS,
        FAULTS,
        BULK,
        SCHEDULES,
        RECOVERY,
        IDEMPOTENCY,
        SERVICES,
    )
)
