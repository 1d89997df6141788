"""The services of the appliance, which both ``vcenter.services`` and ``appliance.vmon`` show, start and stop."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from resphere.contract.errors import NotAllowedInCurrentState, NotFound, message
from resphere.contract.generated.vcenter_services import Service
from resphere.inventory.vcenter_services import ServiceState
from resphere.replica.edit import Edit
from resphere.replica.table import Reading
from resphere.services.call import Call

Startup = Service.StartupType
State = Service.State

OWN = frozenset({"envoy", "sts", "vapi-endpoint", "vpxd", "vpxd-svcs", "vmware-vpostgres"})
"""What this very server is: without these nobody could start them again through it."""

STARTED = OWN | {
    "analytics",
    "applmgmt",
    "certificateauthority",
    "certificatemanagement",
    "cis-license",
    "content-library",
    "eam",
    "hvc",
    "infraprofile",
    "lookupsvc",
    "observability",
    "perfcharts",
    "pschealth",
    "sca",
    "sps",
    "statsmonitor",
    "topologysvc",
    "trustmanagement",
    "updatemgr",
    "vlcm",
    "vmonapi",
    "vsan-health",
    "vsm",
    "vsphere-ui",
    "vstats",
    "vtsdb",
    "wcp",
}
"""The services of a fresh vCenter 8.0 that start by themselves."""

STOPPED = frozenset({"imagebuilder", "netdumper", "rbd", "vcha", "vmcam"})
"""Those that somebody has to start."""

FRESH = {
    name: ServiceState(
        id=name,
        startup_type=Startup.AUTOMATIC if name in STARTED else Startup.MANUAL,
        state=State.STARTED if name in STARTED else State.STOPPED,
    )
    for name in sorted(STARTED | STOPPED)
}


async def change(call: Call, service: str, changed: Callable[[ServiceState], ServiceState]) -> None:
    """Put the service in the state that ``changed`` makes of its present one."""

    def plan(edit: Edit) -> None:
        service_state = edit.get(ServiceState, service) or fresh(service)
        made = changed(service_state)
        if made != service_state:
            edit.put(made)

    await call.unfiltered.change(plan)


def started(service_state: ServiceState) -> ServiceState:
    """The service running; a disabled one is refused."""
    if service_state.startup_type is Startup.DISABLED:
        raise NotAllowedInCurrentState(
            message(
                "resphere.service.disabled",
                "The service {0} is disabled: set its startup type to {1} or {2} first.",
                service_state.id,
                Startup.AUTOMATIC,
                Startup.MANUAL,
            )
        )
    return msgspec.structs.replace(service_state, state=State.STARTED)


def stopped(service_state: ServiceState) -> ServiceState:
    """The service at rest; one that this server is itself is refused."""
    if service_state.id in OWN:
        raise NotAllowedInCurrentState(
            message(
                "resphere.service.own",
                "The service {0} answers this very call: it stops and starts with the server's process only.",
                service_state.id,
            )
        )
    return msgspec.structs.replace(service_state, state=State.STOPPED)


def with_startup(service_state: ServiceState, startup_type: Startup | None) -> ServiceState:
    """The service with another startup type; one that is to be disabled and does not rest is refused."""
    if startup_type is None:
        return service_state
    if startup_type is Startup.DISABLED and service_state.state is not State.STOPPED:
        raise NotAllowedInCurrentState(
            message(
                "resphere.service.not_stopped",
                "The service {0} is {1}: only a stopped one can be disabled.",
                service_state.id,
                service_state.state.lower(),
            )
        )
    return msgspec.structs.replace(service_state, startup_type=startup_type)


def current(inventory: Reading, service: str) -> ServiceState:
    """The service as it is.

    :raises NotFound: there is none of that id.
    """
    return inventory.get(ServiceState, service) or fresh(service)


def fresh(service: str) -> ServiceState:
    """The service as it was installed.

    :raises NotFound: there is none of that id.
    """
    found = FRESH.get(service)
    if found is None:
        raise NotFound(
            message("resphere.service.not_found", "There is no service {0}; there are {1}.", service, ", ".join(FRESH))
        )
    return found
