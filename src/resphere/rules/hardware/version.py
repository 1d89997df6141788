"""Versions of virtual hardware and their upgrades."""

from __future__ import annotations

import msgspec

from resphere.contract.errors import AlreadyInDesiredState, InvalidArgument, message
from resphere.contract.generated import vcenter_vm
from resphere.inventory.mentions import named
from resphere.inventory.model import VirtualMachine
from resphere.rules.hardware.devices import changed, require_off

Hardware = vcenter_vm.Hardware


NEWEST = Hardware.Version.VMX_21
"""What ESXi 8.0 U2 and later offers as its newest."""


def upgraded(vm: VirtualMachine, version: Hardware.Version) -> VirtualMachine:
    """``vm`` with hardware of ``version``."""
    if version is vm.hardware.version:
        raise AlreadyInDesiredState(
            message(
                "resphere.vm.hardware.version_reached", "{0} has the hardware version {1} already.", named(vm), version
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
