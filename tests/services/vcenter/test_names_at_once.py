"""A name that two workers give at the same time: whoever is first has it, and the other is told that it is taken."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from resphere.contract.errors import AlreadyExists, InvalidArgument, VapiError
from resphere.contract.extensions.clusters import Clusters
from resphere.contract.extensions.datastores import Datastores
from resphere.contract.extensions.folders import Folders
from resphere.contract.extensions.inventory_specs import NameSpec
from resphere.contract.extensions.moves import Datacenters, Machines
from resphere.contract.extensions.networks import Networks
from resphere.contract.extensions.storage_policies import StoragePolicies
from resphere.contract.generated import cis_tagging, ids, vcenter, vcenter_vm
from resphere.contract.generated.vcenter_compute import Policies
from resphere.contract.generated.vcenter_guest import CustomizationSpecs
from resphere.contract.generated.vcenter_vm import DataSets
from resphere.contract.model import Secret
from resphere.inventory.compute_policies import Capability
from resphere.inventory.model import Cluster, Datacenter, Datastore, Folder, Host, Network, VirtualMachine
from resphere.inventory.tagging import Category, Tag
from tests.services.vcenter.building import first
from tests.support.claims import drop_claims
from tests.support.customizations import linux
from tests.support.racing import Work, check, race, two_worlds
from tests.support.world import World

NAME = "late"
MULTIPLE = cis_tagging.CategoryModel.Cardinality.MULTIPLE


@pytest.fixture
def worlds(tmp_path: Path) -> Iterator[tuple[World, World]]:
    with two_worlds(tmp_path) as both:
        yield both


def folder_in(world: World, parent: str) -> ids.FolderId:
    """A folder below another, one for both workers: the second who asks for it finds it."""
    for folder in world.inventory.by(Folder, "parent", parent).values():
        if folder.name == "beside":
            return ids.FolderId(folder.id)
    return world.call(Folders.create, Folders.CreateSpec(name="beside", parent=ids.FolderId(parent)))


def create_datastore(world: World, folder: ids.FolderId) -> Any:
    """On a host that no other worker's datastore is on, so that nothing but the name is in its way."""
    number = 0 if folder == first(world, Datacenter).datastore_folder else 1
    hosts = frozenset([ids.HostSystemId(list(world.inventory.all(Host))[number])])
    spec = Datastores.CreateSpec(
        name=NAME, folder=folder, type=vcenter.Datastore.Type.VMFS, capacity=1 << 40, hosts=hosts
    )
    return world.begin(Datastores.create, spec)


def create_network(world: World, folder: ids.FolderId) -> Any:
    return world.begin(Networks.create, Networks.CreateSpec(name=NAME, folder=folder))


def create_folder(world: World) -> Any:
    return world.begin(Folders.create, Folders.CreateSpec(name=NAME, parent=first(world, Datacenter).vm_folder))


def create_vm(world: World) -> Any:
    vm = first(world, VirtualMachine)
    placement = vcenter.VM.PlacementSpec(
        folder=first(world, Datacenter).vm_folder,
        host=vm.host,
        datastore=vm.datastore,
        resource_pool=vm.resource_pool,
    )
    guest = vcenter_vm.GuestOS.DEBIAN_11_64
    return world.begin(vcenter.VM.create, vcenter.VM.CreateSpec(name=NAME, guest_OS=guest, placement=placement))


def clone(world: World) -> Any:
    source = ids.VirtualMachineId(first(world, VirtualMachine).id)
    placement = vcenter.VM.ClonePlacementSpec(folder=first(world, Datacenter).vm_folder)
    return world.begin(vcenter.VM.clone, vcenter.VM.CloneSpec(name=NAME, source=source, placement=placement))


def create_pool(world: World) -> Any:
    parent = first(world, Cluster).resource_pool
    return world.begin(vcenter.ResourcePool.create, vcenter.ResourcePool.CreateSpec(name=NAME, parent=parent))


def create_cluster(world: World) -> Any:
    folder = first(world, Datacenter).host_folder
    return world.begin(Clusters.create, Clusters.CreateSpec(name=NAME, folder=folder))


def create_datacenter(world: World) -> Any:
    spec = vcenter.Datacenter.CreateSpec(name=NAME, folder=ids.FolderId("group-d1"))
    return world.begin(vcenter.Datacenter.create, spec)


def create_host(world: World, folder: ids.FolderId, name: str = NAME) -> Any:
    spec = vcenter.Host.CreateSpec(
        hostname=name,
        user_name="root",
        password=Secret("VMware1!"),
        thumbprint_verification=vcenter.Host.CreateSpec.ThumbprintVerification.NONE,
        folder=folder,
    )
    return world.begin(vcenter.Host.create, spec)


def create_category(world: World, name: str = NAME) -> Any:
    spec = cis_tagging.Category.CreateSpec(
        name=name, description="", cardinality=MULTIPLE, associable_types=frozenset()
    )
    return world.begin(cis_tagging.Category.create, spec)


def create_tag(world: World) -> Any:
    spec = cis_tagging.Tag.CreateSpec(name=NAME, description="", category_id=first_id(world, Category))
    return world.begin(cis_tagging.Tag.create, spec)


def create_storage_policy(world: World) -> Any:
    return world.begin(StoragePolicies.create, StoragePolicies.CreateSpec(name=NAME))


def create_compute_policy(world: World) -> Any:
    spec = {
        "capability": str(Capability.VM_VM_AFFINITY),
        "name": NAME,
        "description": "",
        "vm_tag": first_id(world, Tag),
    }
    return world.begin(Policies.create, spec)


def create_specification(world: World) -> Any:
    spec = CustomizationSpecs.CreateSpec(name=NAME, description="", spec=linux())
    return world.begin(CustomizationSpecs.create, spec)


def create_data_set(world: World) -> Any:
    access = DataSets.Access.READ_WRITE
    spec = DataSets.CreateSpec(name=NAME, description="", host=access, guest=access)
    return world.begin(DataSets.create, ids.VirtualMachineId(first(world, VirtualMachine).id), spec)


def first_id(world: World, cls: type[Any]) -> Any:
    return next(iter(world.inventory.all(cls)))


CREATES: dict[str, Work] = {
    "cluster": create_cluster,
    "compute policy": create_compute_policy,
    "customization specification": create_specification,
    "data set": create_data_set,
    "datacenter": create_datacenter,
    "datastore": lambda world: create_datastore(world, first(world, Datacenter).datastore_folder),
    "folder": create_folder,
    "network": lambda world: create_network(world, first(world, Datacenter).network_folder),
    "resource pool": create_pool,
    "storage policy": create_storage_policy,
    "tag": create_tag,
    "tag category": create_category,
    "virtual machine": create_vm,
}
RENAMES: dict[str, Work] = {
    "cluster": lambda world: world.begin(Clusters.update, first_id(world, Cluster), Clusters.UpdateSpec(name=NAME)),
    "datacenter": lambda world: world.begin(Datacenters.update, first_id(world, Datacenter), NameSpec(name=NAME)),
    "datastore": lambda world: world.begin(Datastores.update, first_id(world, Datastore), NameSpec(name=NAME)),
    "network": lambda world: world.begin(Networks.update, first_id(world, Network), NameSpec(name=NAME)),
    "virtual machine": lambda world: world.begin(
        Machines.update, ids.VirtualMachineId(vm_at_top(world)), NameSpec(name=NAME)
    ),
    "tag category": lambda world: world.begin(
        cis_tagging.Category.update, first_id(world, Category), cis_tagging.Category.UpdateSpec(name=NAME)
    ),
    "tag": lambda world: world.begin(
        cis_tagging.Tag.update, first_id(world, Tag), cis_tagging.Tag.UpdateSpec(name=NAME)
    ),
}


def vm_at_top(world: World) -> str:
    """A VM that stands where those of :func:`create_vm` come to stand."""
    folder = first(world, Datacenter).vm_folder
    found = world.inventory.by(VirtualMachine, "parent", folder)
    if not found:
        world.change(first(world, VirtualMachine), parent=folder)
    return next(iter(world.inventory.by(VirtualMachine, "parent", folder)))


def furnish(world: World) -> None:
    """What the names above stand in, and what is renamed."""
    world.run(create_category(world, "there"))
    spec = cis_tagging.Tag.CreateSpec(name="there", description="", category_id=first_id(world, Category))
    world.call(cis_tagging.Tag.create, spec)
    vm_at_top(world)


def one_is_refused(
    worlds: tuple[World, World], slow: Work, quick: Work, refusal: type[VapiError] = AlreadyExists
) -> None:
    outcomes = race(*worlds, slow, quick)
    check(worlds, outcomes)
    assert isinstance(outcomes[1], refusal), outcomes


@pytest.mark.parametrize("what", CREATES)
def test_two_are_made_of_one_name(worlds: tuple[World, World], what: str) -> None:
    furnish(worlds[0])
    # Creating a pool declares nothing narrower.
    refusal = InvalidArgument if what == "resource pool" else AlreadyExists
    one_is_refused(worlds, CREATES[what], CREATES[what], refusal)


@pytest.mark.parametrize("what", RENAMES)
def test_one_gets_the_name_of_what_is_being_made(worlds: tuple[World, World], what: str) -> None:
    furnish(worlds[0])
    one_is_refused(worlds, RENAMES[what], CREATES[what])


@pytest.mark.parametrize("what", RENAMES)
def test_one_is_made_of_the_name_that_another_is_getting(worlds: tuple[World, World], what: str) -> None:
    furnish(worlds[0])
    one_is_refused(worlds, CREATES[what], RENAMES[what])


@pytest.mark.parametrize("use", [create_vm, clone])
def test_machines_and_folders_share_their_names(worlds: tuple[World, World], use: Work) -> None:
    one_is_refused(worlds, use, create_folder)


def two_folders(world: World, what: str) -> tuple[Callable[[World, ids.FolderId], Any], ids.FolderId, ids.FolderId]:
    """What makes one of ``what`` in a folder, the datacenter's folder for them, and one in that."""
    datacenter = first(world, Datacenter)
    own = datacenter.datastore_folder if what == "datastore" else datacenter.network_folder
    return create_datastore if what == "datastore" else create_network, own, folder_in(world, own)


@pytest.mark.parametrize("what", ["datastore", "network"])
def test_folders_do_not_tell_names_of_a_datacenter_apart(worlds: tuple[World, World], what: str) -> None:
    create, own, beside = two_folders(worlds[0], what)
    one_is_refused(worlds, lambda world: create(world, own), lambda world: create(world, beside))


@pytest.mark.parametrize("what", ["datastore", "network"])
def test_a_rename_meets_a_name_in_another_folder(worlds: tuple[World, World], what: str) -> None:
    create, _, beside = two_folders(worlds[0], what)
    one_is_refused(worlds, RENAMES[what], lambda world: create(world, beside))


@pytest.mark.parametrize("what", ["datastore", "network"])
def test_another_datacenter_may_use_the_name(worlds: tuple[World, World], what: str) -> None:
    own = first(worlds[0], Datacenter)
    other = worlds[0].inventory.all(Datacenter)[
        worlds[0].call(
            vcenter.Datacenter.create, vcenter.Datacenter.CreateSpec(name="other", folder=ids.FolderId("group-d1"))
        )
    ]
    if what == "network":
        outcomes = race(
            *worlds,
            lambda world: create_network(world, own.network_folder),
            lambda world: create_network(world, other.network_folder),
        )
    else:
        host = worlds[0].run(create_host(worlds[0], other.host_folder, "elsewhere"))
        spec = Datastores.CreateSpec(
            name=NAME,
            folder=other.datastore_folder,
            type=vcenter.Datastore.Type.VMFS,
            capacity=1 << 40,
            hosts=frozenset([host]),
        )
        outcomes = race(
            *worlds,
            lambda world: create_datastore(world, own.datastore_folder),
            lambda world: world.begin(Datastores.create, spec),
        )
    check(worlds, outcomes)
    assert not isinstance(outcomes[1], Exception), outcomes


def test_a_host_stands_once_in_whatever_folder(worlds: tuple[World, World]) -> None:
    own = first(worlds[0], Datacenter).host_folder
    beside = folder_in(worlds[0], own)
    one_is_refused(worlds, lambda world: create_host(world, own), lambda world: create_host(world, beside))


def test_hosts_that_come_at_once_bring_datastores_and_addresses_of_their_own(worlds: tuple[World, World]) -> None:
    folder = first(worlds[0], Datacenter).host_folder
    outcomes = race(
        *worlds, lambda world: create_host(world, folder, "one"), lambda world: create_host(world, folder, "other")
    )
    check(worlds, outcomes)
    one, other = (worlds[0].inventory.all(Host)[id] for id in outcomes)
    assert one.management_ip != other.management_ip
    names = {worlds[0].inventory.all(Datastore)[host.datastores[0]].name for host in (one, other)}
    assert len(names) == 2


def test_one_moves_where_its_name_is_being_given(worlds: tuple[World, World]) -> None:
    datacenter = first(worlds[0], Datacenter)
    beside = folder_in(worlds[0], datacenter.vm_folder)
    vm = worlds[0].change(first(worlds[0], VirtualMachine), name=NAME, parent=beside)
    move = Machines.MoveSpec(folder=datacenter.vm_folder)
    one_is_refused(worlds, lambda world: world.begin(Machines.move, ids.VirtualMachineId(vm.id), move), create_folder)


def test_a_store_from_before_these_claims_opens(tmp_path: Path) -> None:
    """Its datastores hold no claim on their names in the datacenter, and keep them all the same."""
    with two_worlds(tmp_path):
        pass
    assert asyncio.run(drop_claims(tmp_path, lambda claim: claim.claim.startswith("datastore-name/")))
    with World(tmp_path, ()) as one, World(tmp_path, ()) as other:
        own = first(one, Datacenter).datastore_folder
        one.change(first(one, Datastore), name=NAME)
        other.refresh()
        beside = folder_in(other, own)
        with pytest.raises(AlreadyExists):
            other.run(create_datastore(other, beside))
