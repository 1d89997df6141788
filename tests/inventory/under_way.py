"""One effect of every kind, about what stands in an inventory that has something of everything."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from resphere.contract.generated import ids
from resphere.contract.generated.vcenter_vm_guest import Processes
from resphere.inventory import effects as e
from resphere.inventory.guest import GuestTransfer
from resphere.inventory.model import Host, Snapshot, UnregisteredVm, VirtualMachine
from tests.inventory import samples
from tests.support.customizations import linux

NEW_HOST = e.NewHost(
    hostname="new.example.com", port=443, user_name="root", password="secret", verify=False, thumbprint=None
)
TRANSFER = GuestTransfer(
    id="transfer", machine="vm-500", token_digest="t", path="/x", boot=0, host="host-70", expires=samples.NOON
)


def effects(
    vm: VirtualMachine,
    leaving: VirtualMachine,
    snapshot: Snapshot,
    files: UnregisteredVm,
    hosts: tuple[Host, Host],
    make: Callable[[str, str], VirtualMachine],
) -> list[e.AnyEffect]:
    """``snapshot`` is the one that ``vm`` stands on; ``make(id, name)`` is a machine to be; ``vm`` moves from the first
    host to the second."""
    here, there = hosts
    moved = msgspec.structs.replace(vm, host=ids.HostSystemId(there.id), resource_pool=ids.ResourcePoolId("resgroup-9"))
    return [
        e.CreateVm(vm=make("vm-600", "coming")),
        e.DeleteVm(vm=vm),
        e.RegisterVm(vm=make("vm-602", "back"), files=files, snapshots={"snapshot-512": "snapshot-602"}),
        e.UnregisterVm(vm=leaving),
        e.CloneVm(source=vm, vm=make("vm-604", "clone")),
        e.InstantCloneVm(source=vm, vm=make("vm-605", "instant")),
        e.RelocateVm(before=vm, after=moved),
        e.ReconfigureVm(before=msgspec.structs.replace(vm, nics={}, disk_policies={}), after=vm),
        e.PowerOn(vm=vm, host=there),
        e.PowerOff(vm=vm),
        e.Reset(vm=vm),
        e.Suspend(vm=vm),
        e.ShutDownGuest(vm=vm),
        e.RebootGuest(vm=vm),
        e.TakeSnapshot(vm=vm, snapshot=samples.snapshot("snapshot-614", "new", vm, snapshot.id)),
        e.RevertToSnapshot(before=vm, after=vm, snapshot=snapshot),
        e.DeleteSnapshots(vm=vm, snapshots=(snapshot.id,)),
        e.ConsolidateDisks(vm=vm),
        e.AddHost(new_host=NEW_HOST, folder="group-h31", host="host-618"),
        e.ConnectHost(host=here),
        e.DisconnectHost(host=here),
        e.FailHost(host=here),
        e.RecoverHost(host=here),
        e.EnterMaintenanceMode(host=here, moves={vm.id: there.id}, with_powered_off=True),
        e.ExitMaintenanceMode(host=here),
        e.ChangeGuestFile(vm=vm, change=e.DeleteFile(path="/x")),
        e.StartProcess(vm=vm, spec=Processes.CreateSpec(path="/bin/true"), user="root"),
        e.EndProcess(vm=vm, pid=1),
        e.AgreeOnTransfer(vm=vm, transfer=TRANSFER),
        e.EndUpload(vm=vm, transfer=TRANSFER, received=e.Received(data=b"x")),
        e.EndDownload(vm=vm, transfer=TRANSFER, digest="d"),
        e.ConnectInstaller(vm=vm),
        e.DisconnectInstaller(vm=vm),
        e.UpgradeTools(vm=vm),
        e.CustomizeGuest(vm=vm, spec=linux(), began=samples.NOON),
    ]
