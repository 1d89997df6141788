"""Datastores: made, renamed, moved, mounted and deleted."""

from __future__ import annotations

import msgspec
import pytest

from resphere.contract.errors import AlreadyExists, InvalidArgument, ResourceInUse
from resphere.contract.extensions.datastores import Datastores
from resphere.contract.extensions.folders import Folders
from resphere.contract.extensions.inventory_specs import FolderSpec, NameSpec
from resphere.contract.generated import ids, vcenter
from resphere.contract.generated.vcenter_vm_hardware import Cdrom
from resphere.inventory.model import Datacenter, Datastore, DatastoreFile, Host, Snapshot, VirtualMachine
from resphere.rules.space import free_space, used_in
from tests.services.vcenter.building import first, found, refused
from tests.support.world import World

Type = vcenter.Datastore.Type
GIB = 1 << 30


def hosts(world: World) -> list[ids.HostSystemId]:
    return [ids.HostSystemId(host) for host in world.inventory.all(Host)]


def make(world: World, name: str = "New", on: int = 1, shared: bool | None = None) -> ids.DatastoreId:
    spec = Datastores.CreateSpec(
        name=name,
        folder=first(world, Datacenter).datastore_folder,
        type=Type.VMFS,
        capacity=100 * GIB,
        hosts=frozenset(hosts(world)[:on]),
        multiple_host_access=shared,
    )
    return world.call(Datastores.create, spec)


def used(world: World) -> Datastore:
    return found(world, Datastore, first(world, VirtualMachine).datastore)


def test_create_and_mount(world: World) -> None:
    made = make(world)
    info = world.call(vcenter.Datastore.get, made)
    assert (info.name, info.type, info.free_space, info.multiple_host_access) == ("New", Type.VMFS, 100 * GIB, True)
    spec = Datastores.HostsSpec(hosts=frozenset(hosts(world)))
    world.call(Datastores.mount, made, spec)
    assert world.inventory.by(Host, "datastore", made).keys() == set(hosts(world))
    world.call(Datastores.unmount, made, spec)
    assert not world.inventory.by(Host, "datastore", made)


def test_create_is_refused(world: World) -> None:
    make(world)
    with pytest.raises(AlreadyExists) as taken:
        make(world)
    assert refused(taken) == (400, "vmsg.DuplicateName.summary")
    with pytest.raises(InvalidArgument) as nobody:
        make(world, "Other", on=0)
    assert refused(nobody) == (400, "resphere.datastore.no_host")
    with pytest.raises(InvalidArgument) as many:
        make(world, "Other", on=2, shared=False)
    assert refused(many) == (400, "resphere.datastore.not_shared")


def test_one_host_alone_mounts_a_local_datastore(world: World) -> None:
    made = make(world, shared=False)
    with pytest.raises(InvalidArgument) as error:
        world.call(Datastores.mount, made, Datastores.HostsSpec(hosts=frozenset({hosts(world)[1]})))
    assert refused(error) == (400, "resphere.datastore.not_shared")
    world.call(Datastores.mount, made, Datastores.HostsSpec(hosts=frozenset({hosts(world)[0]})))


def test_a_rename_reaches_every_path(world: World) -> None:
    store = used(world)
    before, room = used_in(world.inventory)[store.id], free_space(world.inventory, store)
    world.call(Datastores.update, ids.DatastoreId(store.id), NameSpec(name="Renamed"))
    machines = world.inventory.by(VirtualMachine, "datastore", store.id).values()
    assert machines
    states = [*machines, *(snapshot.state for snapshot in world.inventory.all(Snapshot).values())]
    paths = [vm.vmx_path for vm in states]
    paths += [disk.backing.vmdk_file or "" for vm in states for disk in vm.disks.values()]
    paths += [cdrom.backing.iso_file or "" for vm in states for cdrom in vm.cdroms.values()]
    assert not [path for path in paths if path.startswith(f"[{store.name}]")]
    assert [path for path in paths if path.startswith("[Renamed]")]
    assert used_in(world.inventory)[store.id] == before
    assert free_space(world.inventory, found(world, Datastore, store.id)) == room
    make(world)
    with pytest.raises(AlreadyExists) as error:
        world.call(Datastores.update, ids.DatastoreId(store.id), NameSpec(name="New"))
    assert refused(error) == (400, "vmsg.DuplicateName.summary")


def test_a_rename_reaches_images(world: World) -> None:
    store = used(world)
    vm = next(vm for vm in world.inventory.by(VirtualMachine, "datastore", store.id).values() if vm.cdroms)
    key, cdrom = next(iter(vm.cdroms.items()))
    backing = Cdrom.BackingInfo(type=Cdrom.BackingType.ISO_FILE, iso_file=f"[{store.name}] iso/a.iso")
    world.change(vm, cdroms={**vm.cdroms, key: msgspec.structs.replace(cdrom, backing=backing)})
    world.call(Datastores.update, ids.DatastoreId(store.id), NameSpec(name="Images"))
    assert found(world, VirtualMachine, vm.id).cdroms[key].backing.iso_file == "[Images] iso/a.iso"


def test_move(world: World) -> None:
    made = make(world)
    top = first(world, Datacenter)
    folder = world.call(Folders.create, Folders.CreateSpec(name="Below", parent=top.datastore_folder))
    world.call(Datastores.move, made, FolderSpec(folder=folder))
    assert found(world, Datastore, made).parent == folder
    with pytest.raises(InvalidArgument) as error:
        world.call(Datastores.move, made, FolderSpec(folder=top.vm_folder))
    assert refused(error) == (400, "resphere.inventory.folder_type")


def test_what_is_in_use_stays(world: World) -> None:
    store = ids.DatastoreId(used(world).id)
    with pytest.raises(ResourceInUse) as unmounted:
        world.call(Datastores.unmount, store, Datastores.HostsSpec(hosts=frozenset(hosts(world))))
    assert refused(unmounted) == (400, "resphere.datastore.in_use")
    with pytest.raises(ResourceInUse) as deleted:
        world.call(Datastores.delete, store)
    assert refused(deleted) == (400, "resphere.datastore.in_use")
    made = make(world)
    file = DatastoreFile(id="file-9001", name="left/left.vmdk", parent=made, capacity=GIB)
    world.put(file)
    with pytest.raises(ResourceInUse) as kept:
        world.call(Datastores.delete, made)
    assert "left/left.vmdk lies on it" in kept.value.messages[0].default_message


def test_an_image_in_a_drive_keeps_its_datastore(world: World) -> None:
    made, vm = make(world, on=3), first(world, VirtualMachine)
    image = Cdrom.BackingSpec(type=Cdrom.BackingType.ISO_FILE, iso_file="[New] debian.iso")
    drive = world.call(Cdrom.create, ids.VirtualMachineId(vm.id), Cdrom.CreateSpec(backing=image))
    with pytest.raises(ResourceInUse) as unmounted:
        world.call(Datastores.unmount, made, Datastores.HostsSpec(hosts=frozenset(hosts(world))))
    assert refused(unmounted) == (400, "resphere.datastore.in_use")
    with pytest.raises(ResourceInUse) as deleted:
        world.call(Datastores.delete, made)
    assert refused(deleted) == (400, "resphere.datastore.in_use")
    world.call(Cdrom.delete, ids.VirtualMachineId(vm.id), drive)
    world.call(Datastores.delete, made)


def test_delete_takes_it_from_its_hosts(world: World) -> None:
    made = make(world, on=3)
    world.call(Datastores.delete, made)
    assert made not in world.inventory.all(Datastore)
    assert not world.inventory.by(Host, "datastore", made)
