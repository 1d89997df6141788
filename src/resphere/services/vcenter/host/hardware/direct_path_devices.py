"""``com.vmware.vcenter.host.hardware.direct_path_devices``: PCI devices that machines can have to themselves.

Simulated hosts have their network adapters to give, all but the first, through which they are managed.
"""

from __future__ import annotations

from enum import StrEnum

from resphere.contract.errors import InvalidArgument, NotFound, message
from resphere.contract.generated import ids
from resphere.contract.generated.vcenter_host_hardware import DirectPathDevices
from resphere.contract.model import Struct
from resphere.inventory.host_parts import DirectPathDevice, Mode, device_key, devices_of
from resphere.inventory.mentions import named
from resphere.inventory.model import Host
from resphere.replica.edit import Edit
from resphere.replica.table import Reading
from resphere.services.call import Call
from resphere.services.registry import implements

PAGE = 256
GIVEN = frozenset({Mode.HOST, Mode.DIRECTPATH})


class ConfigureImpact(StrEnum):
    """What has to follow before a mode holds."""

    HOST_MAINTENANCE_MODE_REQUIRED = "HOST_MAINTENANCE_MODE_REQUIRED"
    HOST_REBOOT_REQUIRED = "HOST_REBOOT_REQUIRED"
    NONE = "NONE"


class ConfigureResult(Struct, frozen=True, kw_only=True):
    """What the task results in; the bindings know it only as that."""

    __vapi_name__ = "com.vmware.vcenter.host.hardware.direct_path_devices.configure_result"
    configure_impacts: frozenset[ConfigureImpact] | None = None


@implements(DirectPathDevices.list, kept=True)
async def list_devices(
    call: Call,
    host: ids.HostSystemId,
    filter_spec: DirectPathDevices.FilterSpec | None,
    iteration_spec: DirectPathDevices.IterationSpec | None,
    list_details: DirectPathDevices.ListDetails | None,
) -> DirectPathDevices.ListResult:
    """The devices by id. A marker is the last id of the page before; machine classes there are none.

    :raises NotFound: there is no such host.
    :raises InvalidArgument: the page has no size.
    """
    found = call.require(Host, host)
    page = iteration_spec or DirectPathDevices.IterationSpec()
    size = PAGE if page.page_size is None else page.page_size
    if size < 1:
        raise InvalidArgument(
            message("resphere.direct_path.page_size", "iteration_spec.page_size must be at least 1, not {0}.", size)
        )
    wanted = [
        device
        for device in devices_of(found)
        if (filter_spec is None or device in filter_spec.devices) and (page.marker is None or device > page.marker)
    ]
    return DirectPathDevices.ListResult(
        items=tuple(
            DirectPathDevices.ListItem(device=device, info=info(call.inventory, found, device))
            for device in wanted[:size]
        )
    )


@implements(DirectPathDevices.configure_task, result=ConfigureResult)
async def configure(
    call: Call, host: ids.HostSystemId, configure_spec: DirectPathDevices.ConfigureSpec
) -> ids.CisTASKId:
    """Give a device another mode, at once: nothing has to follow.

    :raises NotFound: there is no such host, or it has no such device.
    :raises InvalidArgument: the device cannot have that mode.
    """
    device = configure_spec.device

    def guard(current: Host) -> None:
        require_mode(current, device, configure_spec.new_mode)

    def plan(edit: Edit, current: Host) -> ConfigureResult:
        edit.rely_on(current)  # it must have the device still, whether that was configured before or not
        if configure_spec.new_mode is not None:
            key = device_key(current.id, device)
            mode = chosen(configure_spec.new_mode)
            edit.put(DirectPathDevice(id=key, host=current.id, mode=mode))
        return ConfigureResult(configure_impacts=frozenset({ConfigureImpact.NONE}))

    target = call.require(Host, host)
    return await call.launch_change("HostPciPassthruSystem.updatePassthruConfig", target, plan, guard)


def chosen(mode: Mode) -> Mode:
    """What the system selects where it is left to it."""
    return Mode.DIRECTPATH if mode is Mode.SYSTEM_SELECT else mode


def modes_of(host: Host, device: str) -> frozenset[Mode]:
    """The modes that a device can have: the adapter that the host is managed through is its own."""
    first = next(iter(devices_of(host)))
    return frozenset({Mode.HOST}) if device == first else GIVEN


def require_mode(host: Host, device: str, mode: Mode | None) -> None:
    """Refuse a device that the host lacks, or a mode that the device does."""
    devices = devices_of(host)
    if device not in devices:
        raise NotFound(
            message(
                "resphere.direct_path.no_device",
                "The host {0} has no device {1}; it has {2}.",
                named(host),
                device,
                ", ".join(devices) or "none",
            )
        )
    modes = modes_of(host, device)
    if mode is not None and chosen(mode) not in modes:
        raise InvalidArgument(
            message(
                "resphere.direct_path.mode",
                "configure_spec.new_mode: the device {0} cannot be configured as {1}, only as {2}.",
                device,
                mode,
                ", ".join(sorted(modes)),
            )
        )


def info(inventory: Reading, host: Host, device: str) -> DirectPathDevices.Info:
    """One device of the host."""
    nic = devices_of(host)[device]
    given = inventory.get(DirectPathDevice, device_key(host.id, device))
    return DirectPathDevices.Info(
        name=nic.device,
        current_mode=Mode.HOST if given is None else given.mode,
        configurable_modes=modes_of(host, device),
        interconnect_type="PCI",
        vms=frozenset(),
    )
