"""``com.vmware.appliance.health.database``."""

from __future__ import annotations

from resphere.appliance.health import Level
from resphere.contract.generated.appliance_health import Database
from resphere.services.call import Call
from resphere.services.checks.appliance_health import database
from resphere.services.registry import implements


@implements(Database.get)
async def get(call: Call) -> Database.Info:
    """Whether the database writes: something is written to see that."""
    finding = await database(call)
    healthy = finding.level is Level.GREEN
    return Database.Info(
        status=Database.Info.Status.HEALTHY if healthy else Database.Info.Status.UNHEALTHY,
        messages=tuple(
            Database.Message(severity=Database.Message.Severity.ERROR, message=each) for each in finding.messages
        ),
    )
