"""The roles that a new vCenter has, as far as they are on record; ``resphere.access.samples`` says where."""

from __future__ import annotations

from resphere.access.privileges import PRIVILEGES
from resphere.access.roles import OF_EVERY_ROLE, SYSTEM_ROLES
from resphere.access.samples import SAMPLE_ROLES

SYSTEM = {
    "-1": ("Admin", "Full access rights"),
    "-2": ("ReadOnly", "See details of objects, but not make changes"),
    "-3": ("View", "Visibility access (cannot be granted)"),
    "-4": ("Anonymous", "Not logged-in user (cannot be granted)"),
    "-5": ("NoAccess", "Used for restricting granted access"),
    "-6": ("NoCryptoAdmin", "Full access without Cryptographic operations and Trusted Infrastructure privileges"),
    "-7": ("TrustedAdmin", "Setup and monitoring of Trusted Infrastructure"),
    "-8": ("NoTrustedAdmin", "Full access without Trusted Infrastructure privileges"),
}

SAMPLES = {
    "4": ("VirtualMachinePowerUser", "Provides virtual machine interaction and configuration permissions"),
    "5": ("VirtualMachineUser", "Provides virtual machine interaction permissions"),
    "6": ("ResourcePoolAdministrator", "Supports delegated resource management"),
    "7": ("VMwareConsolidatedBackupUser", "Used by the Consolidated Backup utility"),
    "8": ("DatastoreConsumer", "Assigned to datastores to allow creating disks or snapshots"),
    "9": ("NetworkConsumer", "Assigned to networks to allow association of virtual machines or hosts with networks"),
    "10": ("VirtualMachineConsoleUser", "Provides virtual machine console interaction permissions"),
    "1001": ("InventoryService.Tagging.TaggingAdmin", "InventoryService.Tagging.TaggingAdmin"),
    "1002": ("com.vmware.Content.Admin", "Provides full access to Content Library service"),
}

POWER_USER = """
Datastore.Browse Global.CancelTask
ScheduledTask.Create ScheduledTask.Delete ScheduledTask.Edit ScheduledTask.Run
VirtualMachine.Config.AddExistingDisk VirtualMachine.Config.AddNewDisk VirtualMachine.Config.AddRemoveDevice
VirtualMachine.Config.AdvancedConfig VirtualMachine.Config.CPUCount VirtualMachine.Config.DiskLease
VirtualMachine.Config.EditDevice VirtualMachine.Config.Memory VirtualMachine.Config.RemoveDisk
VirtualMachine.Config.Rename VirtualMachine.Config.ResetGuestInfo VirtualMachine.Config.Resource
VirtualMachine.Config.Settings VirtualMachine.Config.UpgradeVirtualHardware
VirtualMachine.Interact.AnswerQuestion VirtualMachine.Interact.ConsoleInteract
VirtualMachine.Interact.DeviceConnection VirtualMachine.Interact.GuestControl VirtualMachine.Interact.PowerOff
VirtualMachine.Interact.PowerOn VirtualMachine.Interact.Reset VirtualMachine.Interact.SetCDMedia
VirtualMachine.Interact.SetFloppyMedia VirtualMachine.Interact.Suspend VirtualMachine.Interact.ToolsInstall
VirtualMachine.State.CreateSnapshot VirtualMachine.State.RemoveSnapshot VirtualMachine.State.RenameSnapshot
VirtualMachine.State.RevertToSnapshot
"""

GROUPS = {
    "VirtualMachinePowerUser": {"Datastore", "Global", "ScheduledTask", "VirtualMachine"},
    "VirtualMachineUser": {"Global", "ScheduledTask", "VirtualMachine"},
    "VMwareConsolidatedBackupUser": {"VirtualMachine"},
    "DatastoreConsumer": {"Datastore"},
    "NetworkConsumer": {"Network"},
    "VirtualMachineConsoleUser": {"VirtualMachine"},
    "InventoryService.Tagging.TaggingAdmin": {"InventoryService"},
    "com.vmware.Content.Admin": {"ContentLibrary"},
}
"""Of which groups the guide, or the description, says that a role has privileges, and of no other."""

WHOLE = {
    "VirtualMachinePowerUser": ("ScheduledTask.",),
    "VirtualMachineUser": ("ScheduledTask.",),
    "ResourcePoolAdministrator": ("Alarm.", "Folder.", "ScheduledTask.", "VirtualMachine."),
    "InventoryService.Tagging.TaggingAdmin": ("InventoryService.Tagging.",),
    "com.vmware.Content.Admin": ("ContentLibrary.",),
}
"""Of which groups a role has all privileges."""

NOT_OF_POOLS = ("Datacenter.", "Network.", "Host.", "Sessions.", "Performance.")


def test_the_systems_roles() -> None:
    assert {id: (role.name, role.description) for id, role in SYSTEM_ROLES.items()} == SYSTEM
    assert all(role.system for role in SYSTEM_ROLES.values())


def test_the_sample_roles() -> None:
    assert {role.id: (role.name, role.description) for role in SAMPLE_ROLES} == SAMPLES
    assert not any(role.system for role in SAMPLE_ROLES)
    assert all(role.all_privileges > OF_EVERY_ROLE for role in SAMPLE_ROLES)


def test_what_a_power_user_of_machines_has() -> None:
    held = {role.name: role.all_privileges for role in SAMPLE_ROLES}
    assert held["VirtualMachinePowerUser"] - OF_EVERY_ROLE == set(POWER_USER.split())
    assert held["VirtualMachineUser"] < held["VirtualMachinePowerUser"]


def test_of_which_groups_the_samples_have_privileges() -> None:
    held = {role.name: role.all_privileges - OF_EVERY_ROLE for role in SAMPLE_ROLES}
    pools = held.pop("ResourcePoolAdministrator")
    assert not any(each.startswith(NOT_OF_POOLS) for each in pools)
    assert {name: {each.partition(".")[0] for each in privileges} for name, privileges in held.items()} == GROUPS
    held["ResourcePoolAdministrator"] = pools
    for name, groups in WHOLE.items():
        assert {each for each in PRIVILEGES if each.startswith(groups)} <= held[name], name
    for migrating in ("Resource.AssignVMToPool", "Resource.HotMigrate", "Resource.ColdMigrate"):
        assert migrating in pools
