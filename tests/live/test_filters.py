"""Every filter of every list, against the inventory as ``resphere inventory export`` writes it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from resphere.cli.main import main
from resphere.contract.generated import vcenter, vcenter_vm
from resphere.inventory.model import (
    Cluster,
    Datacenter,
    Datastore,
    Folder,
    Host,
    ManagedObject,
    Network,
    ResourcePool,
    VirtualMachine,
)
from resphere.server.exports.file import read_file
from tests.support.server import Client, Server

Everything = dict[str, ManagedObject]
Test = Callable[[Any, set[str], Everything], bool]
UNKNOWN = ["vm-404", "no such name"]


def above(obj: ManagedObject, everything: Everything) -> Iterator[ManagedObject]:
    """What holds ``obj``, the nearest first."""
    while obj.parent is not None:
        obj = everything[obj.parent]
        yield obj


def in_datacenter(obj: Any, wanted: set[str], everything: Everything) -> bool:
    return any(isinstance(a, Datacenter) and a.id in wanted for a in above(obj, everything))


def field(name: str) -> Test:
    return lambda obj, wanted, _: str(getattr(obj, name)) in wanted


def host_folder(host: Host, wanted: set[str], everything: Everything) -> bool:
    parent = everything[str(host.parent)]
    return (parent.parent if isinstance(parent, Cluster) else parent.id) in wanted


def standalone(host: Host, wanted: set[str], everything: Everything) -> bool:
    return str(not isinstance(everything[str(host.parent)], Cluster)).lower() in wanted


def vm_cluster(vm: VirtualMachine, wanted: set[str], everything: Everything) -> bool:
    return everything[vm.host].parent in wanted


class List(msgspec.Struct, frozen=True):
    """A list: its path, the id in its rows, its class, and its filters each with a test and the values there are."""

    path: str
    row_id: str
    cls: type[ManagedObject]
    filters: dict[str, tuple[Test, Callable[[Everything], list[str]]]]
    single: tuple[str, ...] = ()
    """Filters that take one value only."""


def all_of(cls: type[ManagedObject], name: str = "id") -> Callable[[Everything], list[str]]:
    """Every value of a field of the class."""
    return lambda everything: sorted({str(getattr(o, name)) for o in everything.values() if isinstance(o, cls)})


def given_values(values: Any) -> Callable[[Everything], list[str]]:
    """Values that stand in the contract."""
    return lambda _: [str(value) for value in values]


ID, NAME, PARENT = field("id"), field("name"), field("parent")
DATACENTERS = (in_datacenter, all_of(Datacenter))
FOLDERS = (PARENT, all_of(Folder))


def ids_and_names(plural: str, cls: type[ManagedObject]) -> dict[str, tuple[Test, Callable[[Everything], list[str]]]]:
    """The two filters that every list has."""
    return {plural: (ID, all_of(cls)), "names": (NAME, all_of(cls, "name"))}


LISTS = [
    List(
        "vm",
        "vm",
        VirtualMachine,
        {
            **ids_and_names("vms", VirtualMachine),
            "folders": FOLDERS,
            "datacenters": DATACENTERS,
            "hosts": (field("host"), all_of(Host)),
            "clusters": (vm_cluster, all_of(Cluster)),
            "resource_pools": (field("resource_pool"), all_of(ResourcePool)),
            "power_states": (field("power_state"), given_values(vcenter_vm.Power.State)),
        },
    ),
    List(
        "host",
        "host",
        Host,
        {
            **ids_and_names("hosts", Host),
            "folders": (host_folder, all_of(Folder)),
            "datacenters": DATACENTERS,
            "standalone": (standalone, given_values(["true", "false"])),
            "clusters": (PARENT, all_of(Cluster)),
            "connection_states": (field("connection_state"), given_values(vcenter.Host.ConnectionState)),
            "host_uuids": (field("host_uuid"), all_of(Host, "host_uuid")),
        },
        ("standalone",),
    ),
    List(
        "cluster",
        "cluster",
        Cluster,
        {**ids_and_names("clusters", Cluster), "folders": FOLDERS, "datacenters": DATACENTERS},
    ),
    List("datacenter", "datacenter", Datacenter, {**ids_and_names("datacenters", Datacenter), "folders": FOLDERS}),
    List(
        "datastore",
        "datastore",
        Datastore,
        {
            **ids_and_names("datastores", Datastore),
            "types": (field("type"), given_values(vcenter.Datastore.Type)),
            "folders": FOLDERS,
            "datacenters": DATACENTERS,
        },
    ),
    List(
        "folder",
        "folder",
        Folder,
        {
            **ids_and_names("folders", Folder),
            "type": (field("type"), given_values(vcenter.Folder.Type)),
            "parent_folders": FOLDERS,
            "datacenters": DATACENTERS,
        },
        ("type",),
    ),
    List(
        "network",
        "network",
        Network,
        {
            **ids_and_names("networks", Network),
            "types": (field("type"), given_values(vcenter.Network.Type)),
            "folders": FOLDERS,
            "datacenters": DATACENTERS,
        },
    ),
    List(
        "resource-pool",
        "resource_pool",
        ResourcePool,
        {
            **ids_and_names("resource_pools", ResourcePool),
            "parent_resource_pools": (PARENT, all_of(ResourcePool)),
            "datacenters": DATACENTERS,
            "hosts": (field("owner"), all_of(Host)),
            "clusters": (field("owner"), all_of(Cluster)),
        },
    ),
]
# An enumeration has no unknown values.
OPEN = [
    pytest.param(lst, name, id=f"{lst.path}-{name}")
    for lst in LISTS
    for name, (_, values) in lst.filters.items()
    if not values({})
]
FILTERS = [pytest.param(lst, name, id=f"{lst.path}-{name}") for lst in LISTS for name in lst.filters]


@pytest.fixture(scope="module")
def varied_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Several of everything; nobody changes it."""
    sizes = ("--datacenters", "3", "--clusters", "5", "--hosts", "24", "--vms", "150", "--seed", "7")
    with Server(tmp_path_factory.mktemp("varied") / "data", *sizes) as server:
        yield server


@pytest.fixture(scope="module")
def everything(varied_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Everything:
    """The whole inventory, by id, from the exported file."""
    file: Path = tmp_path_factory.mktemp("export") / "inventory.yaml"
    assert main(["inventory", "export", str(file), "--data-dir", str(varied_server.data_dir)]) == 0
    return {obj.id: obj for obj in read_file(file) if isinstance(obj, ManagedObject)}


@pytest.fixture(scope="module")
def reader(varied_server: Server) -> Iterator[Client]:
    """A logged-in client."""
    with varied_server.session() as client:
        yield client


def expected(lst: List, query: dict[str, list[str]], everything: Everything) -> set[str]:
    """The ids that a list with that query holds."""
    return {
        obj.id
        for obj in everything.values()
        if isinstance(obj, lst.cls)
        and not (isinstance(obj, VirtualMachine) and obj.template)
        and all(lst.filters[name][0](obj, set(values), everything) for name, values in query.items())
    }


def check(client: Client, lst: List, query: dict[str, list[str]], everything: Everything) -> int:
    """Ask, and compare ids and order with the unfiltered list; returns how many there are."""
    path = f"/api/vcenter/{lst.path}"
    rows, listed = client.read(path), client.read(path, params=query)
    wanted = expected(lst, query, everything)
    assert listed == [row for row in rows if row[lst.row_id] in wanted]
    return len(listed)


@pytest.mark.parametrize("lst", LISTS, ids=lambda lst: lst.path)
def test_without_a_filter_everything_is_listed(reader: Client, everything: Everything, lst: List) -> None:
    listed = [row[lst.row_id] for row in reader.read(f"/api/vcenter/{lst.path}")]
    assert sorted(listed) == sorted(expected(lst, {}, everything))
    assert len(listed) > 1


def test_every_filter_of_the_contract_is_tested() -> None:
    services: dict[str, Any] = {
        "vm": vcenter.VM,
        "host": vcenter.Host,
        "cluster": vcenter.Cluster,
        "datacenter": vcenter.Datacenter,
        "datastore": vcenter.Datastore,
        "folder": vcenter.Folder,
        "network": vcenter.Network,
        "resource-pool": vcenter.ResourcePool,
    }
    for lst in LISTS:
        assert set(lst.filters) == set(services[lst.path].FilterSpec.__struct_fields__)


@pytest.mark.parametrize(("lst", "name"), FILTERS)
def test_one_filter(reader: Client, everything: Everything, lst: List, name: str) -> None:
    values = lst.filters[name][1](everything)
    found = [check(reader, lst, {name: [value]}, everything) for value in values]
    assert any(found), "some value must match something, or the test says nothing"
    if name not in lst.single:
        check(reader, lst, {name: values}, everything)
        check(reader, lst, {name: values[::2]}, everything)
        check(reader, lst, {name: [values[0], values[0]]}, everything)


@pytest.mark.parametrize(("lst", "name"), OPEN)
def test_no_match_is_an_empty_list(reader: Client, lst: List, name: str) -> None:
    assert reader.read(f"/api/vcenter/{lst.path}", params={name: UNKNOWN}) == []


@pytest.mark.parametrize("lst", LISTS, ids=lambda lst: lst.path)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_filters_together(reader: Client, everything: Everything, lst: List, data: st.DataObject) -> None:
    names = data.draw(st.lists(st.sampled_from(sorted(lst.filters)), min_size=1, max_size=3, unique=True))
    query = {}
    for name in names:
        values = lst.filters[name][1](everything)
        most = 1 if name in lst.single else max(1, len(values) * 2 // 3)
        query[name] = data.draw(st.lists(st.sampled_from(values), min_size=1, max_size=most, unique=True))
    check(reader, lst, query, everything)


def test_the_root_folder_by_its_fixed_id(reader: Client, everything: Everything) -> None:
    """As Ansible's lookups ask."""
    datacenter = next(obj for obj in everything.values() if isinstance(obj, Datacenter) and obj.parent == "group-d1")
    rows = reader.read("/api/vcenter/datacenter", params={"folders": "group-d1", "names": datacenter.name})
    assert rows == [{"datacenter": datacenter.id, "name": datacenter.name}]


def test_templates_are_no_machines(reader: Client, everything: Everything) -> None:
    template = next(obj for obj in everything.values() if isinstance(obj, VirtualMachine) and obj.template)
    assert reader.read("/api/vcenter/vm", params={"vms": template.id}) == []
    assert reader.get(f"/api/vcenter/vm/{template.id}").status_code == 404
