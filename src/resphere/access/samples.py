"""The sample roles that a new vCenter has. Unlike those of the system, users may change and remove them.

Names, descriptions and the ids up to 11 are vCenter's; the further roles are numbered by vCenter in the order in
which its services register them, here from 1001 on.
"""

from __future__ import annotations

from resphere.access.privileges import PRIVILEGES
from resphere.access.roles import Role, users_role

_SCHEDULING = ("ScheduledTask.Create", "ScheduledTask.Delete", "ScheduledTask.Edit", "ScheduledTask.Run")
_INTERACTING = tuple(
    f"VirtualMachine.Interact.{name}"
    for name in (
        "AnswerQuestion",
        "ConsoleInteract",
        "DeviceConnection",
        "PowerOff",
        "PowerOn",
        "Reset",
        "SetCDMedia",
        "SetFloppyMedia",
        "Suspend",
        "ToolsInstall",
    )
)
_CONFIGURING = tuple(
    f"VirtualMachine.Config.{name}"
    for name in (
        "AddExistingDisk",
        "AddNewDisk",
        "AddRemoveDevice",
        "AdvancedConfig",
        "CPUCount",
        "DiskExtend",
        "DiskLease",
        "EditDevice",
        "Memory",
        "QueryUnownedFiles",
        "RemoveDisk",
        "Rename",
        "ResetGuestInfo",
        "Resource",
        "Settings",
        "SwapPlacement",
        "UpgradeVirtualHardware",
    )
)


def _all_of(*groups: str) -> tuple[str, ...]:
    return tuple(sorted(each for each in PRIVILEGES if each.startswith(groups)))


SAMPLE_ROLES: tuple[Role, ...] = (
    users_role(
        "4",
        "VirtualMachinePowerUser",
        (
            "Datastore.Browse",
            "Global.CancelTask",
            *_SCHEDULING,
            *_CONFIGURING,
            *_INTERACTING,
            *_all_of("VirtualMachine.State."),
        ),
        "Provides virtual machine interaction and configuration permissions",
    ),
    users_role(
        "5",
        "VirtualMachineUser",
        ("Global.CancelTask", *_SCHEDULING, *_INTERACTING),
        "Provides virtual machine interaction permissions",
    ),
    users_role(
        "6",
        "ResourcePoolAdministrator",
        (
            "Authorization.ModifyPermissions",
            "Datastore.Browse",
            "Global.CancelTask",
            "Global.LogEvent",
            "Global.SetCustomField",
            *_SCHEDULING,
            *_all_of("Alarm.", "Folder.", "Resource.", "VirtualMachine."),
        ),
        "Supports delegated resource management",
    ),
    users_role(
        "7",
        "VMwareConsolidatedBackupUser",
        (
            "VirtualMachine.Config.DiskLease",
            "VirtualMachine.Provisioning.DiskRandomRead",
            "VirtualMachine.Provisioning.GetVmFiles",
            "VirtualMachine.State.CreateSnapshot",
            "VirtualMachine.State.RemoveSnapshot",
        ),
        "Used by the Consolidated Backup utility",
    ),
    users_role(
        "8",
        "DatastoreConsumer",
        ("Datastore.AllocateSpace",),
        "Assigned to datastores to allow creating disks or snapshots",
    ),
    users_role(
        "9",
        "NetworkConsumer",
        ("Network.Assign",),
        "Assigned to networks to allow association of virtual machines or hosts with networks",
    ),
    users_role(
        "11",
        "VirtualMachineConsoleUser",
        ("VirtualMachine.Interact.ConsoleInteract", "VirtualMachine.Interact.DeviceConnection"),
        "Provides virtual machine console interaction permissions",
    ),
    users_role(
        "1001",
        "InventoryService.Tagging.TaggingAdmin",
        _all_of("InventoryService.Tagging."),
        "InventoryService.Tagging.TaggingAdmin",
    ),
    users_role(
        "1002",
        "com.vmware.Content.Admin",
        _all_of("ContentLibrary."),
        "Provides full access to Content Library service",
    ),
)
