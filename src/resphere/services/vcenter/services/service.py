"""``com.vmware.vcenter.services.service``: the services of the vCenter appliance."""

from __future__ import annotations

from resphere.contract.generated import ids
from resphere.contract.generated.vcenter_services import Service
from resphere.inventory.vcenter_services import ServiceState
from resphere.services.call import Call
from resphere.services.checks.vcenter_services import FRESH, change, current, started, stopped, with_startup
from resphere.services.registry import implements

Id = ids.VcenterServicesServiceId
State = Service.State


@implements(Service.list_details, kept=True)
async def list_details(call: Call) -> dict[str, Service.Info]:
    """All services by id."""
    return {name: info(current(call.inventory, name)) for name in FRESH}


@implements(Service.get, kept=True)
async def get(call: Call, service: Id) -> Service.Info:
    """One service.

    :raises NotFound: there is none of that id.
    """
    return info(current(call.inventory, service))


@implements(Service.start)
async def start(call: Call, service: Id) -> None:
    """Start; one that runs goes on.

    :raises NotFound: there is none of that id.
    :raises NotAllowedInCurrentState: it is disabled.
    """
    await change(call, service, started)


@implements(Service.stop)
async def stop(call: Call, service: Id) -> None:
    """Stop; one that does not run stays so.

    :raises NotFound: there is none of that id.
    :raises NotAllowedInCurrentState: it is this very server.
    """
    await change(call, service, stopped)


@implements(Service.restart)
async def restart(call: Call, service: Id) -> None:
    """Stop and start; one that does not run starts.

    :raises NotFound: there is none of that id.
    :raises NotAllowedInCurrentState: it is disabled, or this very server.
    """
    await change(call, service, lambda found: started(stopped(found)))


@implements(Service.update)
async def update(call: Call, service: Id, spec: Service.UpdateSpec) -> None:
    """Change when the service starts.

    :raises NotFound: there is none of that id.
    :raises NotAllowedInCurrentState: one that runs is to be disabled.
    """

    await change(call, service, lambda found: with_startup(found, spec.startup_type))


def info(found: ServiceState) -> Service.Info:
    """As vCenter shows it: health only of what runs."""
    runs = found.state is State.STARTED
    return Service.Info(
        name_key=f"cis.{found.id}.ServiceNameResourceKey",
        description_key=f"cis.{found.id}.ServiceDescriptionResourceKey",
        startup_type=found.startup_type,
        state=found.state,
        health=Service.Health.HEALTHY if runs else None,
        health_messages=() if runs else None,
    )
