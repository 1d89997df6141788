"""Machines made of packages."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest

from resphere.access.check import references_of
from resphere.access.roles import ADMIN, NO_ACCESS, READ_ONLY
from resphere.contract.errors import InvalidArgument, NotFound, ResourceInaccessible
from resphere.contract.generated import ids, vcenter
from resphere.contract.generated.vcenter_ovf import LibraryItem as Ovf
from resphere.contract.generated.vcenter_ovf import OvfError
from resphere.contract.generated.vcenter_vm import GuestOS, Hardware
from resphere.contract.generated.vcenter_vm_hardware import Boot, Cdrom, Disk, Ethernet
from resphere.contract.generated.vcenter_vm_hardware_adapter import Scsi
from resphere.inventory.model import ROOT_FOLDER, Cluster, Datastore, Folder, Host, Network, VirtualMachine
from resphere.inventory.relations import datacenter_of
from resphere.rules.space import free_space
from resphere.services.vcenter.ovf.library_item.parameters import (
    DeploymentOptionParams,
    Property,
    PropertyParams,
)
from tests.ovf import packages
from tests.services.content.libraries import add_item, add_library, datastores
from tests.services.vcenter.ovf.packages import MINIMAL, ItemId, add_package, target
from tests.support.calls import api_call
from tests.support.rest_calls import rest_call
from tests.support.scoped import ask_as_ann, permission
from tests.support.served import Served
from tests.support.world import World

TOKEN = "5f1b3a52-6a5e-4f7c-9d2b-0c2f1d7e8a90"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as world:
        yield world


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with Served(tmp_path) as served:
        yield served


def spec(**fields: Any) -> Ovf.ResourcePoolDeploymentSpec:
    """What deploys the package with everything, if nothing else is asked for."""
    return Ovf.ResourcePoolDeploymentSpec(**{"accept_all_EULA": True, **fields})


def deploy(world: World, item: ItemId, token: str | None = None, **fields: Any) -> Ovf.DeploymentResult:
    return world.call(Ovf.deploy, token, item, target(world), spec(**fields))


def made(world: World, result: Ovf.DeploymentResult) -> VirtualMachine:
    """The VM that a deployment has made."""
    assert result.succeeded, result.error
    assert result.resource_id is not None
    assert result.resource_id.type == "VirtualMachine"
    return world.inventory.all(VirtualMachine)[result.resource_id.id]


def why_not(world: World, result: Ovf.DeploymentResult) -> OvfError:
    """The one error of a deployment that made nothing."""
    assert not result.succeeded
    assert result.resource_id is None
    assert result.error is not None
    [error] = result.error.errors
    return error


def given(**params: str) -> Any:
    """Values of properties, as ``/api`` carries them."""
    values = tuple([Property(id=key.replace("_", "."), value=value) for key, value in params.items()])
    return msgspec.to_builtins(PropertyParams(type="PropertyParams", properties=values))


def option(key: str) -> Any:
    """A configuration, as ``/api`` carries it."""
    return msgspec.to_builtins(DeploymentOptionParams(type="DeploymentOptionParams", selected_key=key))


def networks_of(world: World) -> list[Network]:
    """The networks that hosts of the first cluster are connected to."""
    cluster = next(iter(world.inventory.all(Cluster)))
    host = next(iter(world.inventory.by(Host, "parent", cluster).values()))
    return [world.inventory.all(Network)[each] for each in host.networks]


def test_a_machine_as_its_package_describes_it(world: World) -> None:
    first, second, *_ = networks_of(world)
    mappings = {"VM Network": first.id, "Backup": second.id, "": "network-9999"}
    vm = made(world, deploy(world, add_package(world), network_mappings=mappings))
    assert (vm.name, vm.annotation, vm.power_state) == ("web", "The web server", "POWERED_OFF")
    assert vm.guest_OS is GuestOS.DEBIAN_12_64
    assert vm.hardware.version is Hardware.Version.VMX_19
    assert (vm.boot.type, vm.boot.delay, vm.boot.retry_delay) == (Boot.Type.EFI, 0, 10_000)
    assert (vm.cpu.count, vm.cpu.cores_per_socket, vm.cpu.hot_add_enabled) == (8, 4, True)
    assert (vm.memory.size_MiB, vm.memory.hot_add_enabled) == (4096, True)
    [scsi] = vm.scsi_adapters.values()
    assert scsi.type is Scsi.Type.PVSCSI
    assert len(vm.sata_adapters) == 1
    disks = [(each.label, each.type, each.scsi and each.scsi.unit, each.capacity) for each in vm.disks.values()]
    scsi_disk = Disk.HostBusAdapterType.SCSI
    assert disks == [("Hard disk 1", scsi_disk, 0, 16 << 30), ("Hard disk 2", scsi_disk, 1, 1 << 30)]
    one, two = vm.nics.values()
    assert (one.type, one.wake_on_lan_enabled, one.backing.network) == ("VMXNET3", False, first.id)
    assert (two.type, two.mac_address, two.backing.network) == ("E1000E", "00:50:56:aa:00:01", second.id)
    assert two.mac_type is Ethernet.MacAddressType.MANUAL
    [drive] = vm.cdroms.values()
    assert (drive.type, drive.backing.type) == ("SATA", Cdrom.BackingType.ISO_FILE)
    assert (len(vm.floppies), len(vm.serial_ports)) == (1, 1)


def test_what_is_left_open_is_chosen(world: World) -> None:
    vm = made(world, deploy(world, add_package(world, MINIMAL), accept_all_EULA=False))
    inventory = world.inventory
    datacenter = datacenter_of(inventory, vm)
    assert datacenter is not None
    assert vm.parent == datacenter.vm_folder
    assert vm.resource_pool == target(world).resource_pool_id
    assert vm.datastore in inventory.all(Host)[vm.host].datastores
    assert vm.boot.type is Boot.Type.BIOS
    assert all(each.backing.network is not None for each in vm.nics.values())


def test_what_is_asked_for_counts_more_than_the_package(world: World) -> None:
    item, inventory = add_package(world), world.inventory
    cluster = next(iter(inventory.all(Cluster)))
    host = list(inventory.by(Host, "parent", cluster).values())[-1]
    store = inventory.all(Datastore)[min(host.datastores)]
    free = free_space(inventory, store)
    params = (option("small"), given(data_size="256", mode="proxy"), {"type": "SizeParams"}, {"what": 1})
    result = world.call(
        Ovf.deploy,
        None,
        item,
        target(world, host_id=ids.HostSystemId(host.id)),
        spec(name="mine", annotation="", default_datastore_id=store.id, additional_parameters=params),
    )
    vm = made(world, result)
    assert (vm.name, vm.annotation, vm.host, vm.datastore) == ("mine", "", host.id, store.id)
    assert vm.cpu.count == 2
    capacity = [each.capacity or 0 for each in vm.disks.values()]
    assert capacity == [16 << 30, 256 << 20]
    assert free - free_space(inventory, store) >= sum(capacity)


def test_storage_groups_are_mapped(world: World) -> None:
    cluster = next(iter(world.inventory.all(Cluster)))
    host = next(iter(world.inventory.by(Host, "parent", cluster).values()))
    store = max(host.datastores)
    mapping = Ovf.StorageGroupMapping(
        type=Ovf.StorageGroupMapping.Type.DATASTORE, datastore_id=ids.DatastoreId(store), provisioning=None
    )
    vm = made(world, deploy(world, add_package(world), storage_mappings={"group1": mapping}))
    assert vm.datastore == store


def test_a_name_that_is_taken(world: World) -> None:
    item = add_package(world)
    made(world, deploy(world, item, name="twin"))
    error = why_not(world, deploy(world, item, name="twin"))
    value = cast(Any, error.error)
    assert (error.category, value.error_type) == ("SERVER", "ALREADY_EXISTS")
    [told] = value.messages
    assert (told.id, told.args) == ("com.vmware.vdcs.util.duplicate_name", ("VirtualMachine", "twin"))
    assert told.default_message == 'An object of type "VirtualMachine" named "twin" already exists.'


def test_agreements_must_be_accepted(world: World) -> None:
    error = why_not(world, deploy(world, add_package(world), accept_all_EULA=False))
    assert (error.category, error.name, error.value) == ("INPUT", "accept_all_EULA", "false")


def test_values_that_do_not_fit(world: World) -> None:
    item = add_package(world)
    error = why_not(world, deploy(world, item, additional_parameters=(given(data_size="5"),)))
    assert (error.category, error.name, error.value) == ("INPUT", "data.size", "5")
    error = why_not(world, deploy(world, item, additional_parameters=(option("huge"),)))
    assert (error.category, error.name, error.value) == ("INPUT", "deployment_option", "huge")
    assert not [vm for vm in world.inventory.all(VirtualMachine).values() if vm.name == "web"]


def test_packages_that_cannot_be_deployed(world: World) -> None:
    library, of_nothing = add_library(world), f"<Envelope {packages.NAMESPACES}/>".encode()
    error = why_not(world, deploy(world, add_package(world, of_nothing)))
    assert error.category == "VALIDATION"
    assert error.issues
    with pytest.raises(InvalidArgument):
        deploy(world, add_item(world, library, type="iso"))
    with pytest.raises(ResourceInaccessible):
        deploy(world, add_item(world, library, type="ovf", name="empty"))
    with pytest.raises(NotFound):
        deploy(world, ItemId("6d9d3a3c-0000-4000-8000-000000000000"))


def test_a_disk_that_no_datastore_has_room_for(world: World) -> None:
    huge = packages.content("vcenter.ovf").replace(b'"16"', b'"60000"')
    error = why_not(world, deploy(world, add_package(world, huge)))
    assert cast(Any, error.error).error_type == "UNABLE_TO_ALLOCATE_RESOURCE"


def test_targets_and_objects_that_are_refused(world: World) -> None:
    item = add_package(world)
    folders = world.inventory.all(Folder).values()
    other = next(each for each in folders if each.type is vcenter.Folder.Type.HOST)

    def at(**fields: Any) -> Ovf.DeploymentResult:
        return world.call(Ovf.deploy, None, item, target(world, **fields), spec())

    with pytest.raises(InvalidArgument, match="not for virtual machines"):
        at(folder_id=ids.FolderId(other.id))
    with pytest.raises(NotFound):
        at(resource_pool_id=ids.ResourcePoolId("resgroup-9999"))
    with pytest.raises(NotFound):
        at(host_id=ids.HostSystemId("host-9999"))
    with pytest.raises(NotFound):
        deploy(world, item, default_datastore_id=ids.DatastoreId("datastore-9999"))
    with pytest.raises(NotFound):
        deploy(world, item, network_mappings={"Backup": "network-9999"})
    with pytest.raises(InvalidArgument, match="LAX"):
        deploy(world, item, flags=("STRICT",))
    with pytest.raises(InvalidArgument, match="additional_parameters"):
        deploy(world, item, additional_parameters=({"type": "PropertyParams", "properties": 5},))
    with pytest.raises(InvalidArgument, match="name"):
        deploy(world, item, name="n" * 81)
    with pytest.raises(InvalidArgument, match="client_token"):
        deploy(world, item, token="once")


def test_a_target_that_takes_no_machine(world: World) -> None:
    item, store = add_package(world), datastores(world)[0]
    world.change(store, accessible=False)
    with pytest.raises(ResourceInaccessible):
        deploy(world, item, default_datastore_id=ids.DatastoreId(store.id))
    cluster = next(iter(world.inventory.all(Cluster).values()))
    world.change(cluster, drs_enabled=False)
    with pytest.raises(InvalidArgument) as refused:
        deploy(world, item)
    assert refused.value.messages[0].default_message.startswith("target.host_id: must be set")


def test_the_same_call_once_more_makes_nothing_more(world: World) -> None:
    item = add_package(world)
    first = made(world, deploy(world, item, TOKEN, name="once"))
    assert made(world, deploy(world, item, TOKEN, name="once")) == first
    assert made(world, deploy(world, item, TOKEN.upper(), name="other")) == first
    assert not deploy(world, item, name="once").succeeded
    world.call(vcenter.VM.delete, ids.VirtualMachineId(first.id))
    assert made(world, deploy(world, item, TOKEN, name="once")).id != first.id


def test_what_is_ignored_is_told(world: World) -> None:
    result = deploy(world, add_package(world), subnet_mappings={"a": "b"}, additional_parameters=(given(none="1"),))
    made(world, result)
    assert result.error is not None
    assert not result.error.errors
    [warning] = result.error.warnings
    words = [each.message.default_message for each in warning.issues or ()]
    assert any("There is no property none" in each for each in words)
    assert any("subnet_mappings is ignored" in each for each in words)


def test_all_dialects_deploy(served: Served) -> None:
    item = add_package(served.world)
    for name, ask in {"a": served.by_api, "r": served.by_rest, "j": served.by_jsonrpc}.items():
        wanted = spec(name=name, additional_parameters=(option("small"),))
        asked = Ovf.DeployInput(ovf_library_item_id=item, target=target(served.world), deployment_spec=wanted)
        vm = made(served.world, ask(Ovf.deploy, asked))
        assert (vm.name, vm.cpu.count) == (name, 2)


def test_a_failure_as_each_dialect_tells_it(served: Served) -> None:
    item = add_package(served.world)
    asked = Ovf.DeployInput(ovf_library_item_id=item, target=target(served.world), deployment_spec=spec(name="twin"))
    assert served.by_api(Ovf.deploy, asked).succeeded
    reply = served.ask_api(api_call(Ovf.deploy, asked))
    assert reply.status == 200
    [error] = json.loads(reply.body)["error"]["errors"]
    assert error["error"]["error_type"] == "ALREADY_EXISTS"
    reply = served.ask(served.rest, rest_call(Ovf.deploy, asked))
    assert reply.status == 200
    [error] = json.loads(reply.body)["value"]["error"]["errors"]
    assert error["error"]["@class"] == "com.vmware.vapi.std.errors.already_exists"
    assert error["error"]["messages"][0]["args"] == ["VirtualMachine", "twin"]
    body = json.loads(served.ask(served.jsonrpc, served.jsonrpc_call(Ovf.deploy, asked)).body)
    told = json.dumps(body["result"]["output"])
    assert '{"STRUCTURE": {"com.vmware.vapi.std.errors.already_exists": {' in told


def test_as_clients_of_rest_write_it(served: Served) -> None:
    """Maps as lists, one of an unknown network; structures by ``@class``; no word of agreements."""
    item = add_package(served.world, MINIMAL)
    network = networks_of(served.world)[0].id
    call = rest_call(
        Ovf.deploy,
        Ovf.DeployInput(ovf_library_item_id=item, target=target(served.world), deployment_spec=spec(name="by rest")),
    )
    assert call.body is not None
    body = json.loads(call.body)
    body["deployment_spec"] = {
        "name": "by rest",
        "network_mappings": [{"key": "", "value": network}],
        "storage_provisioning": "thin",
        "additional_parameters": [
            {"@class": "com.vmware.vcenter.ovf.property_params", "type": "PropertyParams"},
            {"@class": "com.vmware.vcenter.ovf.deployment_option_params", "type": "DeploymentOptionParams"},
        ],
    }
    reply = served.ask(served.rest, msgspec.structs.replace(call, body=json.dumps(body).encode()))
    assert reply.status == 200, reply.body
    assert json.loads(reply.body)["value"]["succeeded"] is True


def test_privileges_are_asked_on_networks_by_the_values_of_their_map() -> None:
    asked = Ovf.DeployInput(
        ovf_library_item_id=ItemId("item"),
        target=Ovf.DeploymentTarget(resource_pool_id=ids.ResourcePoolId("resgroup-1")),
        deployment_spec=spec(network_mappings={"VM Network": "network-1"}),
    )
    references = references_of(Ovf.deploy, {"ovf_library_item_id": "item"}, asked)
    assert {each.target for each in references if each.requirement.resource == "Network"} == {"network-1"}


def test_who_may_not_import_on_the_resource_pool_deploys_nothing(served: Served) -> None:
    world, inventory = served.world, served.world.inventory
    item, before = add_package(world), set(inventory.all(VirtualMachine))
    pool = target(world).resource_pool_id
    asked = Ovf.DeployInput(ovf_library_item_id=item, target=target(world), deployment_spec=spec())
    ask_as_ann(served, [permission(ROOT_FOLDER, ADMIN), permission(pool, READ_ONLY)])
    for ask in (served.by_api, served.by_rest, served.by_jsonrpc):
        assert ask(Ovf.deploy, asked).error_type == "UNAUTHORIZED"
    assert set(inventory.all(VirtualMachine)) == before
    cluster = next(iter(inventory.all(Cluster)))
    hidden = {id for host in inventory.by(Host, "parent", cluster).values() for id in host.datastores}
    chosen = hidden.pop()
    ask_as_ann(served, [permission(ROOT_FOLDER, ADMIN), *(permission(each, NO_ACCESS) for each in hidden)])
    assert made(world, served.by_api(Ovf.deploy, asked)).datastore == chosen
