"""``com.vmware.appliance.logging.liagent.log_collection``: kept only."""

from __future__ import annotations

from resphere.contract.generated.appliance_logging_liagent import LogCollection
from resphere.inventory.appliance.log_collection import LogCollection as Kept
from resphere.rules.appliance_values import invalid, require_host, require_port
from resphere.services.call import Call
from resphere.services.checks.appliance_settings import change_setting, setting
from resphere.services.registry import implements

Status = LogCollection.ResponseSpec.Status
MOST_UNITS = 1000


@implements(LogCollection.get, kept=True)
async def get(call: Call) -> LogCollection.Info:
    """What was set."""
    return LogCollection.Info(configurations=tuple(map(shown, setting(call, Kept).units.values())))


@implements(LogCollection.set)
async def set_collection(call: Call, configurations: LogCollection.SetSpec) -> LogCollection.SetResult:
    """Keep other settings of some units.

    :raises InvalidArgument: no host or port, no id, or too many units.
    """
    for number, config in enumerate(configurations.configurations):
        field = f"configurations.configurations[{number}]"
        if not config.unitid:
            raise invalid(f"{field}.unitid", "it must not be empty.")
        if config.host is not None:
            require_host(f"{field}.host", config.host)
        if config.port is not None:
            require_port(f"{field}.port", config.port)

    def changed(kept: Kept) -> Kept:
        given = {f"{config.unittype}/{config.unitid}": config for config in configurations.configurations}
        units = kept.units | given
        if len(units) > MOST_UNITS:
            raise invalid("configurations.configurations", "there may be {1} units in all.", MOST_UNITS)
        return Kept(units=units)

    await change_setting(call, Kept, changed)
    return LogCollection.SetResult(configurations=tuple(map(shown, configurations.configurations)))


def shown(config: LogCollection.Config) -> LogCollection.ResponseSpec:
    """The settings of a unit: kept, and what an agent would make of them nobody knows."""
    return LogCollection.ResponseSpec(
        enabled=config.enabled,
        unitid=config.unitid,
        unittype=config.unittype,
        status=Status.CONFIGURED if config.enabled else Status.NOT_CONFIGURED,
        message="Kept; this server runs no agent.",
        content=config.content,
    )
