"""The sample roles that form 3 of documents began with. They are no others whatever later releases have."""

from __future__ import annotations

from typing import Any

_ROLES = """
4 VirtualMachinePowerUser
    Provides virtual machine interaction and configuration permissions
    Datastore.Browse Global.CancelTask ScheduledTask.Create ScheduledTask.Delete ScheduledTask.Edit
    ScheduledTask.Run System.Anonymous System.Read System.View VirtualMachine.Config.AddExistingDisk
    VirtualMachine.Config.AddNewDisk VirtualMachine.Config.AddRemoveDevice VirtualMachine.Config.AdvancedConfig
    VirtualMachine.Config.CPUCount VirtualMachine.Config.DiskExtend VirtualMachine.Config.DiskLease
    VirtualMachine.Config.EditDevice VirtualMachine.Config.Memory VirtualMachine.Config.QueryUnownedFiles
    VirtualMachine.Config.RemoveDisk VirtualMachine.Config.Rename VirtualMachine.Config.ResetGuestInfo
    VirtualMachine.Config.Resource VirtualMachine.Config.Settings VirtualMachine.Config.SwapPlacement
    VirtualMachine.Config.UpgradeVirtualHardware VirtualMachine.Interact.AnswerQuestion
    VirtualMachine.Interact.ConsoleInteract VirtualMachine.Interact.DeviceConnection
    VirtualMachine.Interact.PowerOff VirtualMachine.Interact.PowerOn VirtualMachine.Interact.Reset
    VirtualMachine.Interact.SetCDMedia VirtualMachine.Interact.SetFloppyMedia VirtualMachine.Interact.Suspend
    VirtualMachine.Interact.ToolsInstall VirtualMachine.State.CreateSnapshot VirtualMachine.State.RemoveSnapshot
    VirtualMachine.State.RenameSnapshot VirtualMachine.State.RevertToSnapshot
5 VirtualMachineUser
    Provides virtual machine interaction permissions
    Global.CancelTask ScheduledTask.Create ScheduledTask.Delete ScheduledTask.Edit ScheduledTask.Run
    System.Anonymous System.Read System.View VirtualMachine.Interact.AnswerQuestion
    VirtualMachine.Interact.ConsoleInteract VirtualMachine.Interact.DeviceConnection
    VirtualMachine.Interact.PowerOff VirtualMachine.Interact.PowerOn VirtualMachine.Interact.Reset
    VirtualMachine.Interact.SetCDMedia VirtualMachine.Interact.SetFloppyMedia VirtualMachine.Interact.Suspend
    VirtualMachine.Interact.ToolsInstall
6 ResourcePoolAdministrator
    Supports delegated resource management
    Alarm.Acknowledge Alarm.Create Alarm.Delete Alarm.DisableActions Alarm.Edit Alarm.SetStatus
    Alarm.ToggleEnableOnEntity Authorization.ModifyPermissions Datastore.Browse Folder.Create Folder.Delete
    Folder.ExternalFolderManagement Folder.Move Folder.Rename Global.CancelTask Global.LogEvent
    Global.SetCustomField Resource.ApplyRecommendation Resource.AssignVAppToPool Resource.AssignVMToPool
    Resource.ColdMigrate Resource.CreatePool Resource.DeletePool Resource.EditPool Resource.HotMigrate
    Resource.MovePool Resource.QueryVMotion Resource.RenamePool ScheduledTask.Create ScheduledTask.Delete
    ScheduledTask.Edit ScheduledTask.Run System.Anonymous System.Read System.View
    VirtualMachine.Config.AddExistingDisk VirtualMachine.Config.AddNewDisk VirtualMachine.Config.AddRemoveDevice
    VirtualMachine.Config.AdvancedConfig VirtualMachine.Config.Annotation VirtualMachine.Config.CPUCount
    VirtualMachine.Config.ChangeTracking VirtualMachine.Config.DiskExtend VirtualMachine.Config.DiskLease
    VirtualMachine.Config.EditDevice VirtualMachine.Config.HostUSBDevice VirtualMachine.Config.ManagedBy
    VirtualMachine.Config.Memory VirtualMachine.Config.MksControl VirtualMachine.Config.QueryFTCompatibility
    VirtualMachine.Config.QueryUnownedFiles VirtualMachine.Config.RawDevice VirtualMachine.Config.ReloadFromPath
    VirtualMachine.Config.RemoveDisk VirtualMachine.Config.Rename VirtualMachine.Config.ResetGuestInfo
    VirtualMachine.Config.Resource VirtualMachine.Config.Settings VirtualMachine.Config.SwapPlacement
    VirtualMachine.Config.ToggleForkParent VirtualMachine.Config.UpgradeVirtualHardware
    VirtualMachine.DataSets.DataSetCreate VirtualMachine.DataSets.DataSetDelete
    VirtualMachine.DataSets.DataSetEntryDelete VirtualMachine.DataSets.DataSetEntryGet
    VirtualMachine.DataSets.DataSetEntryList VirtualMachine.DataSets.DataSetEntrySet
    VirtualMachine.DataSets.DataSetGet VirtualMachine.DataSets.DataSetList VirtualMachine.DataSets.DataSetUpdate
    VirtualMachine.DataSets.Export VirtualMachine.GuestOperations.Execute VirtualMachine.GuestOperations.Modify
    VirtualMachine.GuestOperations.ModifyAliases VirtualMachine.GuestOperations.Query
    VirtualMachine.GuestOperations.QueryAliases VirtualMachine.Hbr.ConfigureReplication
    VirtualMachine.Hbr.MonitorReplication VirtualMachine.Hbr.ReplicaManagement
    VirtualMachine.Interact.AnswerQuestion VirtualMachine.Interact.Backup
    VirtualMachine.Interact.ConsoleInteract VirtualMachine.Interact.CreateScreenshot
    VirtualMachine.Interact.CreateSecondary VirtualMachine.Interact.DefragmentAllDisks
    VirtualMachine.Interact.DeviceConnection VirtualMachine.Interact.DisableSecondary
    VirtualMachine.Interact.DnD VirtualMachine.Interact.EnableSecondary VirtualMachine.Interact.GuestControl
    VirtualMachine.Interact.MakePrimary VirtualMachine.Interact.Pause VirtualMachine.Interact.PowerOff
    VirtualMachine.Interact.PowerOn VirtualMachine.Interact.PutUsbScanCodes VirtualMachine.Interact.Record
    VirtualMachine.Interact.Replay VirtualMachine.Interact.Reset VirtualMachine.Interact.SESparseMaintenance
    VirtualMachine.Interact.SetCDMedia VirtualMachine.Interact.SetFloppyMedia VirtualMachine.Interact.Suspend
    VirtualMachine.Interact.SuspendToMemory VirtualMachine.Interact.TerminateFaultTolerantVM
    VirtualMachine.Interact.ToolsInstall VirtualMachine.Interact.TurnOffFaultTolerance
    VirtualMachine.Inventory.Create VirtualMachine.Inventory.CreateFromExisting VirtualMachine.Inventory.Delete
    VirtualMachine.Inventory.Move VirtualMachine.Inventory.Register VirtualMachine.Inventory.Unregister
    VirtualMachine.Namespace.Event VirtualMachine.Namespace.EventNotify VirtualMachine.Namespace.Management
    VirtualMachine.Namespace.ModifyContent VirtualMachine.Namespace.Query VirtualMachine.Namespace.ReadContent
    VirtualMachine.Provisioning.Clone VirtualMachine.Provisioning.CloneTemplate
    VirtualMachine.Provisioning.CreateTemplateFromVM VirtualMachine.Provisioning.Customize
    VirtualMachine.Provisioning.DeployTemplate VirtualMachine.Provisioning.DiskRandomAccess
    VirtualMachine.Provisioning.DiskRandomRead VirtualMachine.Provisioning.FileRandomAccess
    VirtualMachine.Provisioning.GetVmFiles VirtualMachine.Provisioning.MarkAsTemplate
    VirtualMachine.Provisioning.MarkAsVM VirtualMachine.Provisioning.ModifyCustSpecs
    VirtualMachine.Provisioning.PromoteDisks VirtualMachine.Provisioning.PutVmFiles
    VirtualMachine.Provisioning.ReadCustSpecs VirtualMachine.State.CreateSnapshot
    VirtualMachine.State.RemoveSnapshot VirtualMachine.State.RenameSnapshot
    VirtualMachine.State.RevertToSnapshot VirtualMachine.Supervisor.Transfer
7 VMwareConsolidatedBackupUser
    Used by the Consolidated Backup utility
    System.Anonymous System.Read System.View VirtualMachine.Config.DiskLease
    VirtualMachine.Provisioning.DiskRandomRead VirtualMachine.Provisioning.GetVmFiles
    VirtualMachine.State.CreateSnapshot VirtualMachine.State.RemoveSnapshot
8 DatastoreConsumer
    Assigned to datastores to allow creating disks or snapshots
    Datastore.AllocateSpace System.Anonymous System.Read System.View
9 NetworkConsumer
    Assigned to networks to allow association of virtual machines or hosts with networks
    Network.Assign System.Anonymous System.Read System.View
11 VirtualMachineConsoleUser
    Provides virtual machine console interaction permissions
    System.Anonymous System.Read System.View VirtualMachine.Interact.ConsoleInteract
    VirtualMachine.Interact.DeviceConnection
1001 InventoryService.Tagging.TaggingAdmin
    InventoryService.Tagging.TaggingAdmin
    InventoryService.Tagging.AttachTag InventoryService.Tagging.CreateCategory
    InventoryService.Tagging.CreateTag InventoryService.Tagging.DeleteCategory
    InventoryService.Tagging.DeleteTag InventoryService.Tagging.EditCategory InventoryService.Tagging.EditTag
    InventoryService.Tagging.ModifyUsedByForCategory InventoryService.Tagging.ModifyUsedByForTag
    InventoryService.Tagging.ObjectAttachable System.Anonymous System.Read System.View
1002 com.vmware.Content.Admin
    Provides full access to Content Library service
    ContentLibrary.AddCertToTrustStore ContentLibrary.AddLibraryItem ContentLibrary.AddLibraryUsage
    ContentLibrary.AddSubscription ContentLibrary.CheckInTemplate ContentLibrary.CheckOutTemplate
    ContentLibrary.ConvertLibrary ContentLibrary.CreateLocalLibrary ContentLibrary.CreateSubscribedLibrary
    ContentLibrary.DeleteCertFromTrustStore ContentLibrary.DeleteLibrary ContentLibrary.DeleteLibraryItem
    ContentLibrary.DeleteLocalLibrary ContentLibrary.DeleteSubscribedLibrary ContentLibrary.DeleteSubscription
    ContentLibrary.DownloadSession ContentLibrary.EvictLibraryItem ContentLibrary.EvictSubscribedLibrary
    ContentLibrary.GetConfiguration ContentLibrary.ImportStorage ContentLibrary.LibraryMaintenance
    ContentLibrary.ManageClusterRegistryResource ContentLibrary.ManageRegistry
    ContentLibrary.ManageRegistryProject ContentLibrary.MigrateLibrary ContentLibrary.ProbeSubscription
    ContentLibrary.PublishLibrary ContentLibrary.PublishLibraryItem ContentLibrary.ReadStorage
    ContentLibrary.RemoveLibraryUsage ContentLibrary.SyncLibrary ContentLibrary.SyncLibraryItem
    ContentLibrary.TypeIntrospection ContentLibrary.UpdateConfiguration ContentLibrary.UpdateLibrary
    ContentLibrary.UpdateLibraryItem ContentLibrary.UpdateLocalLibrary ContentLibrary.UpdateSession
    ContentLibrary.UpdateSubscribedLibrary ContentLibrary.UpdateSubscription System.Anonymous System.Read
    System.View
"""


def sample_roles() -> dict[str, dict[str, Any]]:
    """By id, as documents."""
    found: dict[str, dict[str, Any]] = {}
    role: dict[str, Any] = {}
    for line in _ROLES.strip().splitlines():
        if not line.startswith(" "):
            id, _, name = line.partition(" ")
            role = found[id] = {"id": id, "name": name, "privileges": []}
        elif "description" not in role:
            role["description"] = line.strip()
        else:
            role["privileges"] += line.split()
    return found
