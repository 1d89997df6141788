"""``com.vmware.vcenter.vm.hardware``: the virtual hardware version and its upgrade."""

from __future__ import annotations

import msgspec

from resphere.contract.errors import AlreadyInDesiredState, InvalidArgument, message
from resphere.contract.generated import ids, vcenter_vm
from resphere.inventory.model import VirtualMachine
from resphere.services.call import Call
from resphere.services.registry import implements
from resphere.services.vcenter.vm.hardware.devices import changed, reconfigure, require_off

Hardware = vcenter_vm.Hardware
NEWEST = Hardware.Version.VMX_21
"""What ESXi 8.0 U2 and later offers as its newest."""


@implements(Hardware.get, kept=True)
async def get(call: Call, vm: ids.VirtualMachineId) -> Hardware.Info:
    """The VM's hardware version."""
    return call.require(VirtualMachine, vm).hardware


@implements(Hardware.update)
async def update(call: Call, vm: ids.VirtualMachineId, spec: Hardware.UpdateSpec) -> None:
    """Plan an upgrade for a later power cycle, or take the plan back.

    :raises InvalidArgument: the planned version is not newer than the present one, or too new.
    """
    await reconfigure(call, vm, lambda current: (with_plan(current, spec), None))


@implements(Hardware.upgrade)
async def upgrade(call: Call, vm: ids.VirtualMachineId, version: Hardware.Version | None) -> None:
    """Upgrade at once, to ``version`` or the newest.

    :raises AlreadyInDesiredState: the VM has that version.
    :raises InvalidArgument: the version is older than the present one, or too new.
    :raises NotAllowedInCurrentState: the VM is not powered off.
    """
    await reconfigure(call, vm, lambda current: (upgraded(current, version or NEWEST), None))


def upgraded(vm: VirtualMachine, version: Hardware.Version) -> VirtualMachine:
    """``vm`` with hardware of ``version``."""
    if version is vm.hardware.version:
        raise AlreadyInDesiredState(
            message(
                "resphere.vm.hardware.version_reached", "{0} has the hardware version {1} already.", vm.name, version
            )
        )
    require_newer(vm, version, "version")
    require_off(vm, f"upgrade to {version}")
    made = Hardware.Info(
        version=version, upgrade_policy=Hardware.UpgradePolicy.NEVER, upgrade_status=Hardware.UpgradeStatus.SUCCESS
    )
    return msgspec.structs.replace(vm, hardware=made)


def with_plan(vm: VirtualMachine, spec: Hardware.UpdateSpec) -> VirtualMachine:
    """``vm`` with the planned upgrade of ``spec``."""
    policy = spec.upgrade_policy or vm.hardware.upgrade_policy
    if policy is Hardware.UpgradePolicy.NEVER:
        if spec.upgrade_version is not None:
            raise InvalidArgument(
                message(
                    "resphere.vm.hardware.no_plan",
                    "spec.upgrade_version: must be unset when upgrade_policy is NEVER.",
                )
            )
        made = msgspec.structs.replace(
            vm.hardware,
            upgrade_policy=policy,
            upgrade_version=None,
            upgrade_status=Hardware.UpgradeStatus.NONE,
            upgrade_error=None,
        )
    else:
        version = spec.upgrade_version or vm.hardware.upgrade_version or NEWEST
        require_newer(vm, version, "spec.upgrade_version")
        made = changed(
            vm.hardware,
            upgrade_policy=policy,
            upgrade_version=version,
            upgrade_status=Hardware.UpgradeStatus.PENDING,
        )
    return msgspec.structs.replace(vm, hardware=made)


def require_newer(vm: VirtualMachine, version: Hardware.Version, where: str) -> None:
    """Refuse a version that is not newer than the VM's, or that no host offers."""
    if not vm.hardware.version < version <= NEWEST:
        raise InvalidArgument(
            message(
                "resphere.vm.hardware.version",
                "{0}: must be newer than {1} and at most {2}, not {3}.",
                where,
                vm.hardware.version,
                NEWEST,
                version,
            )
        )
