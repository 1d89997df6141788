"""What vCenter proposes for a new VM, whoever makes it; built once and shared."""

from __future__ import annotations

from functools import cache

from resphere.contract.generated.vcenter_vm import Hardware
from resphere.contract.generated.vcenter_vm_hardware import Boot

RETRY_DELAY_MILLISECONDS = 10_000


@cache
def hardware_info(version: Hardware.Version) -> Hardware.Info:
    """Virtual hardware of a version, with no upgrade scheduled."""
    return Hardware.Info(
        version=version,
        upgrade_policy=Hardware.UpgradePolicy.NEVER,
        upgrade_status=Hardware.UpgradeStatus.NONE,
    )


@cache
def boot_info(firmware: Boot.Type) -> Boot.Info:
    """vCenter's boot options for a firmware."""
    efi = firmware is Boot.Type.EFI
    return Boot.Info(
        type=firmware,
        efi_legacy_boot=False if efi else None,
        network_protocol=Boot.NetworkProtocol.IPV4 if efi else None,
        delay=0,
        retry=False,
        retry_delay=RETRY_DELAY_MILLISECONDS,
        enter_setup_mode=False,
    )
