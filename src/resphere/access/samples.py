"""The sample roles that a new vCenter has. Unlike those of the system, users may change and remove them.

What is known of them, and from where; no complete record of a vCenter's sample roles is published:

- Names and descriptions: ``Get-VIRole`` of vCenter 6.7 as printed in public, names also in 7.0 and 8.0.
- Ids 4 to 7: "Description of Roles on vSphere Servers" (vSphere Web Services SDK 8.0). 8 to 10 follow from the order in
  which ``Get-VIRole`` prints roles, by id, and from 11, which is that of ``AutoUpdateUser`` (vCenter 7.0, a permission
  of the group ``AutoUpdate``). That one is left out: what it holds is not published. ``com.vmware.Content.Admin`` has a
  random id in vCenter, as all roles that are made later; that of the tagging role is above 11. Here: 1001 and 1002.
- VirtualMachinePowerUser: what a published role that was made from it has, but for what was added to that, and the
  groups that the administration guide of vSphere 4 names: scheduled tasks all, some of global items, datastores, VMs.
- VirtualMachineUser, ResourcePoolAdministrator, DatastoreConsumer, NetworkConsumer: the groups of the same guide, and
  the tasks for which "Required Privileges for Common Tasks" (vSphere Security 6.7) names the role. Unproven: which of
  their groups' privileges are selected where that says no more, of the pool's administrator all of ``Resource``.
- VMwareConsolidatedBackupUser, VirtualMachineConsoleUser, and the roles of tagging and of content libraries hold what
  their descriptions say they are for. Unproven, each one of their privileges.
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
        "DiskLease",
        "EditDevice",
        "Memory",
        "RemoveDisk",
        "Rename",
        "ResetGuestInfo",
        "Resource",
        "Settings",
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
            "VirtualMachine.Interact.GuestControl",
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
        "10",
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
