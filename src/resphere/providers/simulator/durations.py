"""How long simulated work takes, in seconds."""

from __future__ import annotations

import msgspec
from msgspec.structs import asdict

MOST_SECONDS = 86_400


class Durations(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Seconds that each kind of work takes."""

    power_on: float = 0.0
    power_off: float = 0.0
    reset: float = 0.0
    suspend: float = 0.0
    reconfigure: float = 0.0
    create_snapshot: float = 0.0
    revert_to_snapshot: float = 0.0
    delete_snapshot: float = 0.0
    create_vm: float = 0.0
    register_vm: float = 0.0
    delete_vm: float = 0.0
    clone_vm: float = 0.0
    """Per disk, and as much for the rest; instant clones take no time of their own."""
    customize: float = 0.0
    """From the start of a VM until its guest is customized; as long for one that runs."""
    boot_guest: float = 0.0
    """From the start or reset of a VM until its Tools run."""
    reboot_guest: float = 0.0
    """Until a guest that was asked to reboot is there again."""
    relocate_vm: float = 0.0
    """For a change of host, and as much per disk that changes its datastore."""
    enter_maintenance_mode: float = 0.0
    exit_maintenance_mode: float = 0.0
    migrate: float = 0.0
    """Per virtual machine that an evacuation moves."""
    reboot_appliance: float = 0.0
    """Until the appliance is there again after it was shut down."""
    stage_update: float = 0.0
    install_update: float = 0.0
    """Of the appliance; as long for a rollback."""

    def __post_init__(self) -> None:
        for name, seconds in asdict(self).items():
            if not 0 <= seconds <= MOST_SECONDS:
                raise ValueError(f"{name} must be from 0 to {MOST_SECONDS}, not {seconds}")


NONE = Durations()
"""Everything is over at once."""

QUICK = Durations(
    boot_guest=0.5, reboot_guest=1.0, customize=1.0, reboot_appliance=1.0, stage_update=1.0, install_update=1.0
)
"""The default: what clients wait for after a call goes by so slowly that they see it; the call itself takes no time."""

REALISTIC = Durations(
    power_on=2.5,
    power_off=1.0,
    reset=0.8,
    suspend=6.0,
    reconfigure=1.2,
    create_snapshot=2.0,
    revert_to_snapshot=3.0,
    delete_snapshot=4.0,
    create_vm=1.8,
    register_vm=1.0,
    delete_vm=1.5,
    clone_vm=4.0,
    customize=20.0,
    boot_guest=15.0,
    reboot_guest=20.0,
    relocate_vm=5.0,
    enter_maintenance_mode=1.5,
    exit_maintenance_mode=1.0,
    migrate=8.0,
    reboot_appliance=180.0,
    stage_update=60.0,
    install_update=900.0,
)
"""About what a small idle vCenter 8.0 takes."""
