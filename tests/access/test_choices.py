"""What the server chooses for a caller is what the caller may use."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from resphere.access.roles import ADMIN, NO_ACCESS, READ_ONLY, users_role
from resphere.contract.generated import ids, vcenter, vcenter_vm
from resphere.contract.generated.vcenter_vm_hardware import Ethernet
from resphere.inventory.model import ROOT_FOLDER, Cluster, Datastore, Host, ResourcePool, VirtualMachine
from resphere.inventory.relations import hosts_of_cluster
from tests.support.scoped import ask_as_ann, permission
from tests.support.served import Failure, Served

CREATE = vcenter.VM.create


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with Served(tmp_path) as served:
        yield served


def hosts_of(served: Served) -> list[Host]:
    """The hosts of the only cluster, which all have mounted several datastores and connected several networks."""
    [cluster] = served.world.inventory.all(Cluster)
    return hosts_of_cluster(served.world.inventory, cluster)


def administrator_but(served: Served, *hidden: str) -> None:
    """Ann may everything, and does not see some objects."""
    ask_as_ann(served, [permission(ROOT_FOLDER, ADMIN), *(permission(each, NO_ACCESS) for each in hidden)])


def created(served: Served) -> VirtualMachine | Failure:
    """A machine whose host and datastore the server chooses, on the cluster."""
    inventory = served.world.inventory
    [cluster] = inventory.all(Cluster)
    folder = next(vm.parent for vm in inventory.all(VirtualMachine).values())
    spec = vcenter.VM.CreateSpec(
        name="chosen",
        guest_OS=vcenter_vm.GuestOS.DEBIAN_12_64,
        placement=vcenter.VM.PlacementSpec(
            folder=ids.FolderId(folder or ""), cluster=ids.ClusterComputeResourceId(cluster)
        ),
        nics=(Ethernet.CreateSpec(),),
    )
    made = served.by_api(CREATE, CREATE.input(spec=spec))
    return made if isinstance(made, Failure) else inventory.all(VirtualMachine)[made]


def test_hosts_datastores_and_networks_that_are_not_seen_are_not_chosen(served: Served) -> None:
    first = created(served)
    assert isinstance(first, VirtualMachine)
    network = first.nics[next(iter(first.nics))].backing.network
    assert network is not None
    served.world.change(first, name="another")
    others = [host.id for host in hosts_of(served) if host.id != first.host]
    administrator_but(served, first.host, first.datastore, network)
    second = created(served)
    assert isinstance(second, VirtualMachine)
    assert second.host in others
    assert second.datastore != first.datastore
    assert second.nics[next(iter(second.nics))].backing.network != network


def test_where_none_may_be_used_the_refusal_names_none(served: Served) -> None:
    hosts = [host.id for host in hosts_of(served)]
    administrator_but(served, *hosts)
    refusal = created(served)
    assert isinstance(refusal, Failure)
    assert refusal.error_type == "UNABLE_TO_ALLOCATE_RESOURCE"
    assert not any(host in text for text in refusal.texts for host in hosts)


def test_what_is_read_only_is_not_used_either(served: Served) -> None:
    first = created(served)
    assert isinstance(first, VirtualMachine)
    served.world.change(first, name="another")
    ask_as_ann(served, [permission(ROOT_FOLDER, ADMIN), permission(first.datastore, READ_ONLY)])
    second = created(served)
    assert isinstance(second, VirtualMachine)
    assert second.datastore != first.datastore


def test_a_host_that_is_named_and_not_seen_is_refused(served: Served) -> None:
    """The contract states no privilege on a placement's host."""
    host = hosts_of(served)[0]
    administrator_but(served, host.id)
    vm = next(vm for vm in served.world.inventory.all(VirtualMachine).values() if vm.host != host.id)
    relocate = vcenter.VM.relocate
    spec = vcenter.VM.RelocateSpec(placement=vcenter.VM.RelocatePlacementSpec(host=ids.HostSystemId(host.id)))
    refusal = served.by_api(relocate, relocate.input(vm=vm.id, spec=spec))
    assert isinstance(refusal, Failure)
    assert refusal.message_ids == ("vapi.authz.error.no.privs",)


def owning(served: Served, *hers: str) -> None:
    """Ann may everything on some objects and below them, and nothing on the root folder."""
    ask_as_ann(served, [permission(each, ADMIN) for each in hers])


def cluster_and_folder(served: Served) -> tuple[str, str]:
    """Where machines are made in these tests."""
    [cluster] = served.world.inventory.all(Cluster)
    return cluster, next(vm.parent or "" for vm in served.world.inventory.all(VirtualMachine).values())


def told(refusal: object) -> tuple[str, ...]:
    """A refusal's texts; it must be that of a privilege."""
    assert isinstance(refusal, Failure)
    assert refusal.message_ids == ("vapi.authz.error.no.privs",)
    return refusal.texts


def lacking(object: str, privilege: str) -> tuple[str, ...]:
    """The text that vCenter has for it."""
    return (f"The user does not have sufficient privileges (object: {object}:test privileges: {privilege})",)


def test_what_is_left_open_is_chosen_from_what_the_caller_may_use(served: Served) -> None:
    """The privilege is needed on what is chosen, and nowhere else."""
    network = hosts_of(served)[0].networks[0]
    for datastore in hosts_of(served)[0].datastores:
        owning(served, *cluster_and_folder(served), datastore, network)
        made = first(served, created)
        assert made.datastore == datastore
        assert [nic.backing.network for nic in made.nics.values()] == [network]
        served.world.change(made, name=f"on {datastore}")


def test_who_may_use_none_at_all_is_told_before_anything_is_looked_at(served: Served) -> None:
    privileges = frozenset({"VirtualMachine.Inventory.Create", "Resource.AssignVMToPool", "Network.Assign"})
    role = users_role("9001", "Placer", privileges)
    ask_as_ann(served, [permission(each, role) for each in (*cluster_and_folder(served), hosts_of(served)[0].id)])
    assert told(created(served)) == lacking(ROOT_FOLDER, "Datastore.AllocateSpace")


def test_who_may_use_none_that_could_be_chosen_is_told_so(served: Served) -> None:
    """There is a datastore that Ann may use, and no host has mounted it."""
    mounted = {store for host in served.world.inventory.all(Host).values() for store in host.datastores}
    beside = Datastore(
        id="datastore-999",
        name="beside",
        parent=served.world.inventory.all(Datastore)[min(mounted)].parent,
        type=vcenter.Datastore.Type.VMFS,
        capacity=2**40,
        multiple_host_access=True,
        url="ds:///vmfs/volumes/beside/",
    )
    served.world.put(beside)
    owning(served, *cluster_and_folder(served), beside.id)
    refusal = created(served)
    assert isinstance(refusal, Failure)
    assert refusal.error_type == "UNABLE_TO_ALLOCATE_RESOURCE"
    assert not any(store in text for text in refusal.texts for store in mounted)


def test_a_pool_that_follows_from_the_cluster_must_be_the_caller_s(served: Served) -> None:
    cluster, folder = cluster_and_folder(served)
    pool = served.world.inventory.all(Cluster)[cluster].resource_pool
    datastore = hosts_of(served)[0].datastores[0]
    stays = [permission(cluster, ADMIN), permission(pool, READ_ONLY)]
    elsewhere = served.world.inventory.by(ResourcePool, "owner", cluster)
    below = next(each for each in elsewhere if each != pool)
    ask_as_ann(served, [*stays, permission(folder, ADMIN), permission(datastore, ADMIN), permission(below, ADMIN)])
    assert told(created(served)) == lacking(pool, "Resource.AssignVMToPool")


def clone(served: Served, source: VirtualMachine, **placement: str) -> VirtualMachine | Failure:
    """A clone of a machine, where the spec says, or else where the source is."""
    where = vcenter.VM.ClonePlacementSpec(**placement) if placement else None  # type: ignore[arg-type]
    spec = vcenter.VM.CloneSpec(name="twin", source=ids.VirtualMachineId(source.id), placement=where)
    made = served.by_api(vcenter.VM.clone, vcenter.VM.clone.input(spec=spec))
    return made if isinstance(made, Failure) else served.world.inventory.all(VirtualMachine)[made]


def test_a_clone_stays_with_its_source_where_the_caller_may_put_it(served: Served) -> None:
    source = first(served, created)
    everything = (source.parent or "", source.resource_pool, source.datastore)
    privileges = ("VirtualMachine.Inventory.CreateFromExisting", "Resource.AssignVMToPool", "Datastore.AllocateSpace")
    for missing, privilege in zip(everything, privileges, strict=True):
        readable = [permission(each, READ_ONLY if each == missing else ADMIN) for each in everything]
        # Somewhere else Ann may do all of it.
        beside = [permission(each, ADMIN) for each in others(served, source)]
        ask_as_ann(served, [permission(source.id, ADMIN), *readable, *beside])
        assert told(clone(served, source)) == lacking(missing, privilege)
    owning(served, source.id, *everything)
    twin = clone(served, source)
    assert isinstance(twin, VirtualMachine)
    assert (twin.parent, twin.resource_pool, twin.datastore) == everything


def test_a_clone_needs_the_space_of_each_disk_where_that_stays(served: Served) -> None:
    source = first(served, created)
    [key] = source.disks
    away = next(store for store in hosts_of(served)[0].datastores if store != source.datastore)
    relocate = vcenter.VM.relocate
    spec = vcenter.VM.RelocateSpec(disks={key: vcenter.VM.DiskRelocateSpec(datastore=ids.DatastoreId(away))})
    assert served.by_api(relocate, relocate.input(vm=source.id, spec=spec)) == b""
    owning(served, source.id, source.parent or "", source.resource_pool, source.datastore)
    refusal = told(clone(served, source))
    assert refusal == ("The user does not have sufficient privileges (an object that you may not see)",)


def test_an_instant_clone_is_put_where_the_caller_may_put_it(served: Served) -> None:
    source = first(served, created)
    power = vcenter_vm.Power.start
    assert served.by_api(power, power.input(vm=source.id)) == b""
    everything = (source.parent or "", source.resource_pool, source.datastore)
    instant = vcenter.VM.instant_clone
    value = instant.input(spec=vcenter.VM.InstantCloneSpec(name="twin", source=ids.VirtualMachineId(source.id)))
    for missing in everything:
        mine = [permission(each, READ_ONLY if each == missing else ADMIN) for each in everything]
        beside = [permission(each, ADMIN) for each in others(served, source)]
        ask_as_ann(served, [permission(source.id, ADMIN), *mine, *beside])
        assert f"object: {missing}:" in told(served.by_api(instant, value))[0]
    owning(served, source.id, *everything)
    assert not isinstance(served.by_api(instant, value), Failure)


def test_files_on_a_datastore_that_is_not_seen_are_no_files(served: Served) -> None:
    """A path may name any datastore."""
    machine = first(served, created)
    assert served.by_api(vcenter.VM.unregister, vcenter.VM.unregister.input(vm=machine.id)) == b""
    cluster, folder = cluster_and_folder(served)
    spec = vcenter.VM.RegisterSpec(
        datastore_path=machine.vmx_path,
        placement=vcenter.VM.RegisterPlacementSpec(
            folder=ids.FolderId(folder), cluster=ids.ClusterComputeResourceId(cluster)
        ),
    )
    register = vcenter.VM.register
    owning(served, cluster, folder)
    refusal = served.by_api(register, register.input(spec=spec))
    assert isinstance(refusal, Failure)
    assert refusal.message_ids == ("resphere.vm.register.no_file",)
    owning(served, cluster, folder, machine.datastore)
    assert not isinstance(served.by_api(register, register.input(spec=spec)), Failure)


def first(served: Served, make: Callable[[Served], VirtualMachine | Failure]) -> VirtualMachine:
    """A machine, which must be made."""
    made = make(served)
    assert isinstance(made, VirtualMachine)
    return made


def others(served: Served, vm: VirtualMachine) -> list[str]:
    """A folder, a pool and a datastore that the machine is not in."""
    inventory = served.world.inventory
    folder = next(each.parent or "" for each in inventory.all(VirtualMachine).values() if each.parent != vm.parent)
    pool = next(id for id, each in inventory.all(ResourcePool).items() if each.parent == vm.resource_pool)
    return [folder, pool, next(each for each in inventory.all(Datastore) if each != vm.datastore)]
