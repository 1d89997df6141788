"""Where virtual machines can run, and where they go when their host is emptied."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from resphere.contract.generated import vcenter
from resphere.contract.generated.vcenter_vm import Power
from resphere.contract.generated.vcenter_vm_hardware import Memory
from resphere.inventory.compute_policies import COMPUTE_POLICIES
from resphere.inventory.content.tables import CONTENT_TABLES
from resphere.inventory.model import Cluster, Host, ManagedObject, VirtualMachine
from resphere.inventory.tables import TABLES as INVENTORY_TABLES
from resphere.inventory.tagging import TAGGING_TABLES
from resphere.replica.replica import Replica
from resphere.rules.placement.hosts import NoPlace, can_run, can_take, evacuation, memory_in_use_MiB, place
from resphere.rules.wiring import WIRING
from tests.inventory import samples
from tests.replica.worlds import put, run

TABLES = (*INVENTORY_TABLES, *CONTENT_TABLES)

ON, OFF, SUSPENDED = Power.State.POWERED_ON, Power.State.POWERED_OFF, Power.State.SUSPENDED
GIB = 1024
HOST = samples.host("host-11", "esx0", "domain-c8", datastores=("datastore-15",), networks=("network-17", "network-18"))
VM = samples.virtual_machine("vm-1", "web", "group-v3")


def changed(host: Host, **fields: Any) -> Host:
    return msgspec.structs.replace(host, **fields)


def sized(host: Host, gib: int) -> Host:
    """A host with that much memory."""
    return changed(host, hardware=msgspec.structs.replace(host.hardware, memory_size_MiB=gib * GIB))


@pytest.mark.parametrize(
    ("host", "able"),
    [
        (HOST, True),
        (changed(HOST, in_maintenance_mode=True), False),
        (changed(HOST, connection_state=vcenter.Host.ConnectionState.DISCONNECTED), False),
        (changed(HOST, connection_state=vcenter.Host.ConnectionState.NOT_RESPONDING), False),
        (changed(HOST, power_state=vcenter.Host.PowerState.STANDBY), False),
        (changed(HOST, power_state=vcenter.Host.PowerState.POWERED_OFF), False),
    ],
)
def test_hosts_that_run_vms(host: Host, able: bool) -> None:
    assert can_run(host) is able
    assert can_take(host, VM) is able


def test_a_host_must_reach_the_datastore_and_every_network() -> None:
    two = msgspec.structs.replace(
        VM, nics={"4000": samples.nic(0, "network-17", "a"), "4001": samples.nic(1, "network-18", "b")}
    )
    assert can_take(HOST, two)
    assert not can_take(changed(HOST, datastores=("datastore-16",)), two)
    assert not can_take(changed(HOST, networks=("network-17",)), two)
    assert can_take(changed(HOST, networks=("network-17",)), VM)
    assert can_take(changed(HOST, networks=()), msgspec.structs.replace(VM, nics={}))


def test_the_host_with_the_most_free_memory() -> None:
    large, small = sized(changed(HOST, id="host-20"), 64), sized(changed(HOST, id="host-3"), 32)
    assert place(VM, [large, small], {"host-20": 0, "host-3": 0}) is large
    assert place(VM, [large, small], {"host-20": 40 * GIB, "host-3": 0}) is small
    # A tie: the lowest number, not the first text.
    assert place(VM, [large, small], {"host-20": 32 * GIB, "host-3": 0}) is small


def test_none_can() -> None:
    with pytest.raises(NoPlace) as refused:
        place(VM, [changed(HOST, in_maintenance_mode=True)], {HOST.id: 0})
    assert refused.value.vm is VM
    with pytest.raises(NoPlace):
        place(VM, [], {})


def vm(number: int, gib: int = 4, **fields: Any) -> VirtualMachine:
    """A VM on ``host-11`` with that much memory."""
    memory = Memory.Info(size_MiB=gib * GIB, hot_add_enabled=False)
    return samples.virtual_machine(f"vm-{number}", f"web-{number}", "group-v3", memory=memory, **fields)


def moves(
    path: Path, vms: list[VirtualMachine], with_powered_off: bool = False, *replacing: ManagedObject
) -> dict[str, str]:
    """The evacuation of ``host-11`` with those VMs; ``replacing`` stand for hosts of the cluster, which has three."""
    objects: dict[str, ManagedObject] = {obj.id: obj for obj in samples.skeleton(hosts=3)}
    objects |= {obj.id: obj for obj in replacing}
    path.mkdir(exist_ok=True)

    async def test(inventory: Replica) -> dict[str, str]:
        await inventory.change(put(*objects.values(), *vms))
        host = inventory.get(Host, "host-11")
        assert host is not None
        return evacuation(inventory, host, with_powered_off)

    return run(test, path / "store.db", tables=(*TABLES, *TAGGING_TABLES, COMPUTE_POLICIES), derived=WIRING.derived)


def other(number: int, change: Callable[[Host], Host] = lambda host: host) -> Host:
    """One of the skeleton's hosts, changed."""
    host = next(obj for obj in samples.skeleton(hosts=3) if obj.id == f"host-{number}")
    assert isinstance(host, Host)
    return change(host)


def test_only_what_is_not_off_must_go(tmp_path: Path) -> None:
    vms = [vm(1), vm(2, power_state=OFF), vm(3, power_state=SUSPENDED), vm(4, template=True, power_state=OFF)]
    assert moves(tmp_path, vms).keys() == {"vm-1", "vm-3"}


def test_what_is_off_goes_on_demand(tmp_path: Path) -> None:
    vms = [vm(1), vm(2, power_state=OFF), vm(3, host="host-111")]
    assert moves(tmp_path, vms, with_powered_off=True).keys() == {"vm-1", "vm-2"}


def test_the_load_is_spread(tmp_path: Path) -> None:
    found = moves(tmp_path, [vm(number) for number in range(1, 7)])
    assert sorted(found.values()) == ["host-111"] * 3 + ["host-211"] * 3


def test_the_largest_are_placed_first(tmp_path: Path) -> None:
    found = moves(tmp_path, [vm(1, 2), vm(2, 2), vm(3, 4)])
    assert found["vm-3"] == "host-111"
    assert found["vm-1"] == found["vm-2"] == "host-211"


def test_what_runs_on_the_others_already_counts(tmp_path: Path) -> None:
    assert moves(tmp_path, [vm(1), vm(2, host="host-111")]) == {"vm-1": "host-211"}
    # One that is off takes no memory.
    (tmp_path / "again").mkdir()
    assert moves(tmp_path / "again", [vm(1), vm(2, host="host-111", power_state=OFF)]) == {"vm-1": "host-111"}


def test_hosts_that_take_none_are_passed_over(tmp_path: Path) -> None:
    closed = other(111, lambda host: changed(host, in_maintenance_mode=True))
    assert moves(tmp_path, [vm(1)], False, closed) == {"vm-1": "host-211"}


def test_one_vm_without_a_place_stops_all(tmp_path: Path) -> None:
    far = [other(n, lambda host: changed(host, datastores=("datastore-16",))) for n in (111, 211)]
    away = vm(2, datastore="datastore-16", datastore_name="sample-ds-2")
    with pytest.raises(NoPlace) as refused:
        moves(tmp_path, [vm(1), away], False, *far)
    assert refused.value.vm.id == "vm-1"


def test_one_that_is_off_without_a_place_stays(tmp_path: Path) -> None:
    far = [other(n, lambda host: changed(host, datastores=("datastore-16",))) for n in (111, 211)]
    away = vm(2, datastore="datastore-16", datastore_name="sample-ds-2")
    found = moves(tmp_path, [vm(1, power_state=OFF), away], True, *far)
    assert found.keys() == {"vm-2"}


def test_memory_in_use(tmp_path: Path) -> None:
    async def test(inventory: Replica) -> None:
        vms = [vm(1, 2), vm(2, 4, power_state=SUSPENDED), vm(3, 8, power_state=OFF), vm(4, 16, host="host-111")]
        await inventory.change(put(*samples.skeleton(), *vms))
        host = inventory.get(Host, "host-11")
        assert host is not None
        assert memory_in_use_MiB(inventory, host) == 6 * GIB

    run(test, tmp_path / "store.db", tables=(*TABLES, *TAGGING_TABLES, COMPUTE_POLICIES), derived=WIRING.derived)


def test_full_hosts_take_nothing_that_runs(tmp_path: Path) -> None:
    small = (other(111, lambda host: sized(host, 7)), other(211, lambda host: sized(host, 4)))
    assert moves(tmp_path / "a", [vm(1), vm(2, 3), vm(3, 4)], False, *small).keys() == {"vm-1", "vm-2", "vm-3"}
    with pytest.raises(NoPlace) as refused:
        moves(tmp_path / "b", [vm(1), vm(2, 3), vm(3, 4), vm(4, 1)], False, *small)
    assert refused.value.vm.id == "vm-4"


def test_full_hosts_still_take_what_is_off(tmp_path: Path) -> None:
    full = (other(111, lambda host: sized(host, 4)), other(211, lambda host: sized(host, 1)))
    assert moves(tmp_path, [vm(1), vm(2, 8, power_state=OFF)], True, *full).keys() == {"vm-1", "vm-2"}


def test_without_drs_nothing_moves_by_itself(tmp_path: Path) -> None:
    cluster = next(obj for obj in samples.skeleton(hosts=3) if isinstance(obj, Cluster))
    without = msgspec.structs.replace(cluster, drs_enabled=False)
    with pytest.raises(NoPlace):
        moves(tmp_path / "on", [vm(1)], False, without)
    assert moves(tmp_path / "off", [vm(1, power_state=OFF)], True, without) == {}
