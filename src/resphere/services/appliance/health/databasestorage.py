"""``com.vmware.appliance.health.databasestorage``."""

from __future__ import annotations

from resphere.contract.generated.appliance_health import Databasestorage
from resphere.services.call import Call
from resphere.services.checks.appliance_health import database_storage
from resphere.services.registry import implements


@implements(Databasestorage.get)
async def get(call: Call) -> Databasestorage.HealthLevel:
    """How much room is left for the database."""
    return Databasestorage.HealthLevel((await database_storage(call)).level)
