"""``com.vmware.appliance.services``: the services of the appliance's operating system.

Names, descriptions and states are those that 7.0.3 shows. Starting and stopping them is kept, and does nothing else:
what this server itself needs cannot be stopped.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import msgspec

from resphere.contract.errors import NotAllowedInCurrentState, NotFound, message
from resphere.contract.generated import ids
from resphere.contract.generated.appliance import Services
from resphere.inventory.appliance.system_services import SystemServices
from resphere.services.call import Call
from resphere.services.checks.appliance_settings import change_setting, setting
from resphere.services.registry import implements

Id = ids.ApplianceServicesId
State = Services.State

RUNNING: Mapping[str, str] = MappingProxyType(
    {
        "crond": "Command Scheduler",
        "dbus": "D-Bus System Message Bus",
        "dnsmasq": "A lightweight, caching DNS proxy",
        "haveged": "Entropy Daemon based on the HAVEGE algorithm",
        "irqbalance": "irqbalance daemon",
        "lsassd": "Likewise Security and Authentication Subsystem",
        "lvm2-lvmetad": "LVM2 metadata daemon",
        "lwsmd": "Likewise Service Control Manager Service",
        "ntpd": "Network Time Service",
        "observability": "VMware Observability Service",
        "rsyslog": "System Logging Service",
        "sendmail": "Sendmail Mail Transport Agent",
        "sshd": "OpenSSH Daemon",
        "sysstat": "Resets System Activity Logs",
        "systemd-hostnamed": "Hostname Service",
        "systemd-journald": "Journal Service",
        "systemd-logind": "Login Service",
        "systemd-networkd": "Network Service",
        "systemd-resolved": "Network Name Resolution",
        "systemd-udevd": "udev Kernel Device Manager",
        "vami-lighttp": "vami-lighttp.service",
        "vmafdd": "LSB: Authentication Framework Daemon",
        "vmcad": "LSB: Start and Stop vmca",
        "vmdird": "LSB: Start and Stop vmdir",
        "vmware-firewall": "VMware Firewall service",
        "vmware-pod": "VMware Pod Service.",
        "vmware-vdtc": "VMware vSphere Distrubuted Tracing Collector",
        "vmware-vmon": "VMware Service Lifecycle Manager",
    }
)
"""What a fresh appliance runs."""
AT_REST: Mapping[str, str] = MappingProxyType(
    {
        "appliance-shutdown": "/etc/rc.local.shutdown Compatibility",
        "atftpd": "The tftp server serves files using the trivial file transfer protocol.",
        "auditd": "Security Auditing Service",
        "emergency": "Emergency Shell",
        "rescue": "Rescue Shell",
        "syslog-ng": "System Logger Daemon",
        "vgauthd": "VGAuth Service for open-vm-tools",
        "vmtoolsd": "Service for virtual machines hosted on VMware",
    }
)
"""What it does not run."""
ALL: Mapping[str, str] = MappingProxyType(dict(sorted((*RUNNING.items(), *AT_REST.items()))))
OWN = frozenset({"dbus", "systemd-journald", "vami-lighttp", "vmafdd", "vmware-vmon"})
"""Without these nobody could start them again through the API, which they carry on an appliance."""


@implements(Services.list, kept=True)
async def list_services(call: Call) -> dict[str, Services.Info]:
    """All services by id."""
    states = setting(call, SystemServices).states
    return {name: Services.Info(description=ALL[name], state=state_of(states, name)) for name in ALL}


@implements(Services.get, kept=True)
async def get(call: Call, service: Id) -> Services.Info:
    """One service.

    :raises NotFound: there is none of that id.
    """
    states = setting(call, SystemServices).states
    return Services.Info(description=described(service), state=state_of(states, service))


@implements(Services.start)
async def start(call: Call, service: Id) -> None:
    """Start; one that runs goes on.

    :raises NotFound: there is none of that id.
    """
    await change(call, service, lambda _: State.STARTED)


@implements(Services.stop)
async def stop(call: Call, service: Id) -> None:
    """Stop; one that does not run stays so.

    :raises NotFound: there is none of that id.
    :raises NotAllowedInCurrentState: the API itself needs it.
    """
    await change(call, service, lambda _: stopped(service))


@implements(Services.restart)
async def restart(call: Call, service: Id) -> None:
    """Stop and start; one that does not run starts.

    :raises NotFound: there is none of that id.
    :raises NotAllowedInCurrentState: the API itself needs it.
    """

    def again(_: State) -> State:
        stopped(service)
        return State.STARTED

    await change(call, service, again)


async def change(call: Call, service: str, changed: Callable[[State], State]) -> None:
    """Keep the state that ``changed`` makes of the present one."""
    described(service)

    def plan(kept: SystemServices) -> SystemServices:
        state = state_of(kept.states, service)
        new = changed(state)
        return kept if new is state else msgspec.structs.replace(kept, states=kept.states | {service: new})

    await change_setting(call, SystemServices, plan)


def stopped(service: str) -> State:
    """The state of a service that is stopped; what the API needs is refused."""
    if service in OWN:
        raise NotAllowedInCurrentState(
            message("resphere.appliance.service_own", "The service {0} carries this very API.", service)
        )
    return State.STOPPED


def state_of(states: Mapping[str, State], service: str) -> State:
    """How it is, as somebody has left it or as on a fresh appliance."""
    return states.get(service, State.STARTED if service in RUNNING else State.STOPPED)


def described(service: str) -> str:
    """What the service is.

    :raises NotFound: there is none of that id.
    """
    found = ALL.get(service)
    if found is None:
        raise NotFound(
            message(
                "resphere.appliance.service_unknown", "There is no service {0}; there are {1}.", service, ", ".join(ALL)
            )
        )
    return found
