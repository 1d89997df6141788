"""Where a spec puts a virtual machine, and what it may not ask for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from resphere.contract.errors import (
    InvalidArgument,
    NotFound,
    ResourceInaccessible,
    UnableToAllocateResource,
    VapiError,
)
from resphere.contract.generated import ids, vcenter
from resphere.inventory.model import Cluster, Datastore, Host, ManagedObject, VirtualMachine
from resphere.rules.placement.resolution import CLONE, CREATE, RELOCATE, Needs, Place, Wanted, resolve, wanted
from tests.inventory import samples
from tests.support.world import World

CONNECTION = vcenter.Host.ConnectionState


def objects() -> list[ManagedObject]:
    """A cluster of two hosts with DRS, a standalone host, and a second datacenter with a host of its own."""
    first = [
        msgspec.structs.replace(obj, drs_enabled=True) if isinstance(obj, Cluster) else obj
        for obj in samples.skeleton()
    ]
    alone = samples.host("host-50", "alone", "group-h3", datastores=("datastore-51",), networks=("network-17",))
    away = samples.host("host-60", "away", "group-h4", datastores=("datastore-61",), networks=())
    return [
        *first,
        msgspec.structs.replace(alone, resource_pool="resgroup-52"),
        samples.resource_pool("resgroup-52", "Resources", "host-50", "host-50"),
        samples.datastore("datastore-51", "local", "group-s3"),
        samples.resource_pool("resgroup-10", "small", "resgroup-9", "domain-c8"),
        *samples.datacenter("datacenter-4", "other-dc"),
        msgspec.structs.replace(away, resource_pool="resgroup-62"),
        samples.resource_pool("resgroup-62", "Resources", "host-60", "host-60"),
        samples.datastore("datastore-61", "far", "group-s4"),
    ]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path, objects()) as world:
        yield world


def place(world: World, **fields: Any) -> Place:
    return resolve(world.inventory, Wanted(**{"folder": "group-v3", "datastore": "datastore-15", **fields}))


def ids_of(found: Place) -> tuple[str, str, str, str, str]:
    return found.datacenter.id, found.folder.id, found.resource_pool.id, found.host.id, found.datastore.id


def change(world: World, cls: type[ManagedObject], id: str, **fields: Any) -> None:
    found = world.inventory.get(cls, id)
    assert found is not None
    world.change(found, **fields)


def vm(**fields: Any) -> VirtualMachine:
    return samples.virtual_machine("vm-1", "web", "group-v3", **fields)


@pytest.mark.parametrize(
    ("fields", "pool", "host"),
    [
        ({"cluster": "domain-c8"}, "resgroup-9", "host-11"),
        ({"resource_pool": "resgroup-10"}, "resgroup-10", "host-11"),
        ({"host": "host-111"}, "resgroup-9", "host-111"),
        ({"host": "host-111", "cluster": "domain-c8", "resource_pool": "resgroup-10"}, "resgroup-10", "host-111"),
        ({"host": "host-50", "datastore": "datastore-51"}, "resgroup-52", "host-50"),
        ({"resource_pool": "resgroup-52", "datastore": "datastore-51"}, "resgroup-52", "host-50"),
    ],
)
def test_what_the_spec_leaves_open_follows(world: World, fields: dict[str, str], pool: str, host: str) -> None:
    found = place(world, **fields)
    assert (found.datacenter.id, found.resource_pool.id, found.host.id) == ("datacenter-3", pool, host)
    assert found.cluster == (world.inventory.get(Cluster, "domain-c8") if host != "host-50" else None)


def test_drs_chooses_the_host_with_the_most_free_memory(world: World) -> None:
    world.put(vm(host="host-11"))
    assert place(world, cluster="domain-c8").host.id == "host-111"
    world.put(samples.virtual_machine("vm-2", "web-2", "group-v3", host="host-111"))
    world.put(samples.virtual_machine("vm-3", "web-3", "group-v3", host="host-111", power_state=samples.POWERED_OFF))
    assert place(world, cluster="domain-c8").host.id == "host-11"


def test_drs_passes_over_hosts_that_cannot(world: World) -> None:
    change(world, Host, "host-11", in_maintenance_mode=True)
    assert place(world, cluster="domain-c8").host.id == "host-111"
    change(world, Host, "host-111", connection_state=CONNECTION.DISCONNECTED)
    with pytest.raises(UnableToAllocateResource) as refused:
        place(world, cluster="domain-c8")
    assert refused.value.messages[0].id == "vmsg.NoCompatibleHost.summary"


def test_the_host_reaches_what_the_devices_need(world: World) -> None:
    change(world, Host, "host-11", networks=("network-17",))
    spec = Wanted(folder="group-v3", datastore="datastore-15", cluster="domain-c8")
    needs = Needs(networks=frozenset({"network-18"}))
    assert resolve(world.inventory, spec, needs=needs).host.id == "host-111"
    with pytest.raises(InvalidArgument) as refused:
        resolve(world.inventory, msgspec.structs.replace(spec, host="host-11"), needs=needs)
    assert refused.value.messages[0].id == "resphere.vm.placement.not_reached"
    far = Needs(datastores=frozenset({"datastore-51"}))
    with pytest.raises(InvalidArgument):
        resolve(world.inventory, spec, needs=far)


def test_policies_filter_the_hosts(world: World) -> None:
    spec = Wanted(folder="group-v3", datastore="datastore-15", cluster="domain-c8")
    not_the_first = resolve(world.inventory, spec, allowed=lambda hosts: [h for h in hosts if h.id != "host-11"])
    assert not_the_first.host.id == "host-111"
    with pytest.raises(UnableToAllocateResource):
        resolve(world.inventory, spec, allowed=lambda _: [])
    with pytest.raises(InvalidArgument) as refused:
        resolve(world.inventory, msgspec.structs.replace(spec, host="host-11"), allowed=lambda _: [])
    assert refused.value.messages[0].id == "resphere.vm.placement.not_allowed"


def test_the_roomiest_datastore_is_chosen(world: World) -> None:
    change(world, Datastore, "datastore-15", other_used=9_000 * samples.GIB)
    assert place(world, datastore=None, cluster="domain-c8").datastore.id == "datastore-16"
    change(world, Datastore, "datastore-16", accessible=False)
    assert place(world, datastore=None, cluster="domain-c8").datastore.id == "datastore-15"
    change(world, Datastore, "datastore-15", accessible=False)
    with pytest.raises(UnableToAllocateResource) as refused:
        place(world, datastore=None, cluster="domain-c8")
    assert refused.value.messages[0].id == "resphere.vm.placement.no_datastore"


@pytest.mark.parametrize(
    ("fields", "error", "id"),
    [
        ({"folder": None, "cluster": "domain-c8"}, InvalidArgument, "resphere.vm.placement.no_folder"),
        ({"folder": "group-v99", "cluster": "domain-c8"}, NotFound, "com.vmware.api.vcenter.folder.not_found"),
        ({"folder": "group-h3", "cluster": "domain-c8"}, InvalidArgument, "resphere.vm.placement.folder_type"),
        ({"folder": "group-v4", "cluster": "domain-c8"}, InvalidArgument, "resphere.vm.placement.contradiction"),
        ({}, InvalidArgument, "resphere.vm.placement.no_compute"),
        ({"cluster": "domain-c99"}, NotFound, "com.vmware.api.vcenter.cluster.not_found"),
        ({"host": "host-99"}, NotFound, "com.vmware.api.vcenter.host.not_found"),
        ({"resource_pool": "resgroup-99"}, NotFound, "com.vmware.api.vcenter.resource_pool.not_found"),
        (
            {"datastore": "datastore-99", "cluster": "domain-c8"},
            NotFound,
            "com.vmware.api.vcenter.datastore.not_found",
        ),
        ({"host": "host-50", "cluster": "domain-c8"}, InvalidArgument, "resphere.vm.placement.contradiction"),
        (
            {"resource_pool": "resgroup-52", "cluster": "domain-c8"},
            InvalidArgument,
            "resphere.vm.placement.contradiction",
        ),
        ({"resource_pool": "resgroup-52", "host": "host-11"}, InvalidArgument, "resphere.vm.placement.contradiction"),
        ({"host": "host-50"}, InvalidArgument, "resphere.vm.placement.not_reached"),
        (
            {"cluster": "domain-c8", "datastore": "datastore-51"},
            InvalidArgument,
            "resphere.vm.placement.datastore_unreachable",
        ),
        (
            {"cluster": "domain-c8", "datastore": "datastore-61"},
            InvalidArgument,
            "resphere.vm.placement.contradiction",
        ),
        ({"host": "host-60", "datastore": "datastore-61"}, InvalidArgument, "resphere.vm.placement.contradiction"),
    ],
)
def test_what_is_refused(world: World, fields: dict[str, str | None], error: type[VapiError], id: str) -> None:
    with pytest.raises(error) as refused:
        place(world, **fields)
    assert refused.value.messages[0].id == id


@pytest.mark.parametrize(
    "state",
    [
        {"in_maintenance_mode": True},
        {"connection_state": CONNECTION.DISCONNECTED},
        {"power_state": vcenter.Host.PowerState.STANDBY},
    ],
)
def test_a_named_host_must_take_vms(world: World, state: dict[str, Any]) -> None:
    change(world, Host, "host-11", **state)
    with pytest.raises(ResourceInaccessible) as refused:
        place(world, host="host-11")
    assert refused.value.messages[0].id == "resphere.vm.placement.host_unavailable"


def test_an_inaccessible_datastore(world: World) -> None:
    change(world, Datastore, "datastore-15", accessible=False)
    with pytest.raises(ResourceInaccessible) as refused:
        place(world, cluster="domain-c8")
    assert refused.value.messages[0].id == "resphere.vm.placement.datastore_inaccessible"


def test_without_drs_a_new_vm_gets_a_host_and_a_moved_one_must_name_it(world: World) -> None:
    change(world, Cluster, "domain-c8", drs_enabled=False)
    spec = Wanted(folder="group-v3", datastore="datastore-15", resource_pool="resgroup-10")
    assert resolve(world.inventory, spec, rules=CREATE).host.id == "host-11"
    for rules in (CLONE, RELOCATE):
        with pytest.raises(InvalidArgument) as refused:
            resolve(world.inventory, spec, present=vm(), rules=rules)
        assert refused.value.messages[0].id == "resphere.vm.placement.no_drs"
        named = msgspec.structs.replace(spec, host="host-111")
        assert resolve(world.inventory, named, present=vm(), rules=rules).host.id == "host-111"


def test_what_a_move_leaves_open_stays(world: World) -> None:
    present = vm(host="host-111", pool="resgroup-10", datastore="datastore-16")
    found = resolve(world.inventory, Wanted(), present=present, rules=RELOCATE)
    assert ids_of(found) == ("datacenter-3", "group-v3", "resgroup-10", "host-111", "datastore-16")
    moved = resolve(world.inventory, Wanted(host="host-11"), present=present, rules=RELOCATE)
    assert (moved.host.id, moved.resource_pool.id) == ("host-11", "resgroup-10")
    # DRS leaves it where it is, as long as that will do.
    drs = resolve(world.inventory, Wanted(resource_pool="resgroup-9"), present=present, rules=RELOCATE)
    assert (drs.host.id, drs.resource_pool.id) == ("host-111", "resgroup-9")
    change(world, Host, "host-111", in_maintenance_mode=True)
    drs = resolve(world.inventory, Wanted(resource_pool="resgroup-9"), present=present, rules=RELOCATE)
    assert drs.host.id == "host-11"
    change(world, Host, "host-11", in_maintenance_mode=True)
    with pytest.raises(ResourceInaccessible):
        resolve(world.inventory, Wanted(resource_pool="resgroup-9"), present=present, rules=RELOCATE)


def test_the_present_pool_must_go_with_the_new_host(world: World) -> None:
    with pytest.raises(InvalidArgument) as refused:
        resolve(world.inventory, Wanted(host="host-50", datastore="datastore-51"), present=vm(), rules=RELOCATE)
    assert refused.value.messages[0].id == "resphere.vm.placement.contradiction"
    spec = Wanted(resource_pool="resgroup-52", datastore="datastore-51")
    assert resolve(world.inventory, spec, present=vm(), rules=RELOCATE).host.id == "host-50"


def test_specs_of_every_operation_are_read() -> None:
    spec = vcenter.VM.InstantClonePlacementSpec(
        folder=ids.FolderId("group-v3"), datastore=ids.DatastoreId("datastore-15")
    )
    assert wanted(spec) == Wanted(folder="group-v3", datastore="datastore-15")
    assert wanted(vcenter.VM.RegisterPlacementSpec(host=ids.HostSystemId("host-1"))) == Wanted(host="host-1")
    assert wanted(vcenter.VM.PlacementSpec(cluster=ids.ClusterComputeResourceId("domain-c8"))) == Wanted(
        cluster="domain-c8"
    )
    assert wanted(None) == Wanted()
