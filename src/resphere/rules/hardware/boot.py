"""How a virtual machine boots."""

from __future__ import annotations

import msgspec

from resphere.contract.errors import InvalidArgument, message
from resphere.contract.generated.vcenter_vm_hardware import Boot
from resphere.inventory.model import VirtualMachine
from resphere.rules.hardware.devices import changed


def with_boot(vm: VirtualMachine, spec: Boot.UpdateSpec) -> VirtualMachine:
    """``vm`` with the boot options that ``spec`` makes of its own."""
    for name, value in (("delay", spec.delay), ("retry_delay", spec.retry_delay)):
        if value is not None and value < 0:
            raise InvalidArgument(
                message("resphere.vm.boot.delay", "spec.{0}: must not be negative, but is {1}.", name, value)
            )
    firmware = spec.type or vm.boot.type
    boot = changed(vm.boot, **msgspec.structs.asdict(spec))
    if firmware is Boot.Type.BIOS:
        boot = msgspec.structs.replace(boot, efi_legacy_boot=None, network_protocol=None)
    elif boot.efi_legacy_boot is None or boot.network_protocol is None:
        boot = msgspec.structs.replace(
            boot,
            efi_legacy_boot=bool(boot.efi_legacy_boot),
            network_protocol=boot.network_protocol or Boot.NetworkProtocol.IPV4,
        )
    return msgspec.structs.replace(vm, boot=boot)
