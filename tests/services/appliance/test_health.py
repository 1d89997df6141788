"""How well the appliance is follows from what its machine tells, and comes back with that."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from resphere.appliance.folders import Folders
from resphere.appliance.machine import Filesystem, Load, Memory
from resphere.contract.errors import NotFound, VapiError
from resphere.contract.generated import ids
from resphere.contract.generated.appliance import Health
from resphere.contract.generated.appliance_health import (
    Applmgmt,
    Database,
    Databasestorage,
    Mem,
    Softwarepackages,
    Storage,
    Swap,
    System,
)
from resphere.contract.generated.appliance_health import (
    Load as LoadHealth,
)
from resphere.contract.generated.appliance_system import Storage as Partitions
from resphere.contract.generated.appliance_system import Uptime
from resphere.contract.generated.vcenter_services import Service
from resphere.services.checks.appliance_health import ITEMS
from resphere.store.base import StoreError
from tests.services.vcenter.building import refused
from tests.support.world import NOW, World

GIB = 2**30


def told(world: World, item: str) -> list[str]:
    return [each.id for each in world.call(Health.messages, ids.ApplianceHealthId(item))]


def test_a_machine_at_rest_is_well(world: World) -> None:
    assert {
        world.call(LoadHealth.get).value,
        world.call(Mem.get).value,
        world.call(Swap.get).value,
        world.call(Storage.get).value,
        world.call(Databasestorage.get).value,
        world.call(Softwarepackages.get).value,
        world.call(Applmgmt.get),
        world.call(System.get).value,
    } == {"green"}
    assert world.call(Database.get) == Database.Info(status=Database.Info.Status.HEALTHY, messages=())
    assert world.call(System.lastcheck) == NOW
    assert [told(world, item) for item in ITEMS] == [[] for _ in ITEMS]


@pytest.mark.parametrize(("load", "level"), [(1.49, "green"), (1.5, "yellow"), (1.7, "orange"), (1.8, "red")])
def test_busy_cpus(world: World, load: float, level: str) -> None:
    world.machine.loads = Load(load, 0, 0, 2)
    assert world.call(LoadHealth.get) == level
    assert world.call(System.get) == level
    assert bool(told(world, "load")) is (level != "green")
    world.machine.loads = Load(0.5, 2, 2, 2)
    assert world.call(System.get) == "green"


def test_memory_and_swap_run_out(world: World) -> None:
    world.machine.memories, world.machine.swaps = Memory(16 * GIB, GIB), Memory(2 * GIB, 0)
    assert (world.call(Mem.get), world.call(Swap.get), world.call(System.get)) == ("orange", "red", "red")
    (notification,) = world.call(Health.messages, ids.ApplianceHealthId("swap"))
    assert notification.time == NOW
    assert notification.resolution is not None
    world.machine.memories, world.machine.swaps = Memory(16 * GIB, 8 * GIB), Memory(2 * GIB, 2 * GIB)
    assert world.call(System.get) == "green"


def test_without_swap_nothing_is_known_of_it(world: World) -> None:
    world.machine.swaps = Memory(0, 0)
    assert (world.call(Swap.get), world.call(System.get)) == ("gray", "green")


def test_a_full_disk(world: World) -> None:
    world.machine.filesystems = Filesystem("/", 100 * GIB, 4 * GIB)
    assert (world.call(Storage.get), world.call(Databasestorage.get), world.call(System.get)) == ("red", "red", "red")
    assert len(told(world, "storage")) == 3
    assert told(world, "database-storage") == told(world, "databasestorage") == ["resphere.appliance.health.used"]
    world.machine.filesystems = Filesystem("/", 100 * GIB, 50 * GIB)
    assert world.call(System.get) == "green"


def test_a_store_elsewhere_says_nothing_of_its_disk(world: World, tmp_path: Path) -> None:
    elsewhere = Folders(tmp_path, tmp_path, None)
    world.environment = msgspec.structs.replace(world.environment, folders=elsewhere)
    assert (world.call(Databasestorage.get), world.call(System.get)) == ("gray", "green")
    assert [each.partition for each in world.call(Partitions.list)] == ["root", "log"]


def test_a_stopped_service(world: World) -> None:
    applmgmt = ids.VcenterServicesServiceId("applmgmt")
    world.call(Service.stop, applmgmt)
    assert (world.call(Applmgmt.get), world.call(System.get)) == ("red", "red")
    assert told(world, "applmgmt") == ["resphere.appliance.health.stopped"]
    world.call(Service.start, applmgmt)
    assert world.call(System.get) == "green"


@contextmanager
def failing(monkeypatch: pytest.MonkeyPatch, world: World, error: Exception) -> Iterator[None]:
    """A store that does not write meanwhile."""

    async def commit(*_: object) -> int:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(world.store, "commit", commit)
        yield


@pytest.mark.parametrize("error", [StoreError("disk full"), OSError("gone")])
def test_a_store_that_does_not_write(world: World, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    with failing(monkeypatch, world, error):
        info = world.call(Database.get)
        assert info.status is Database.Info.Status.UNHEALTHY
        assert [each.message.id for each in info.messages] == ["resphere.appliance.health.database_fails"]
        assert world.call(System.get) == "red"
    world.environment = msgspec.structs.replace(world.environment, now=lambda: NOW + timedelta(seconds=1))
    assert world.call(Database.get).status is Database.Info.Status.HEALTHY
    assert world.call(System.get) == "green"


def test_an_unknown_item(world: World) -> None:
    with pytest.raises(NotFound) as error:
        world.call(Health.messages, ids.ApplianceHealthId("weather"))
    assert refused(error) == (404, "resphere.appliance.health.no_item")


def test_partitions(world: World) -> None:
    rows = world.call(Partitions.list)
    assert [(row.disk, row.partition) for row in rows] == [("1", "root"), ("1", "log"), ("1", "db")]
    assert rows[0].description is not None
    assert "51200 of 102400 MB are free" in rows[0].description.default_message
    world.call(Partitions.resize)
    assert {(c.old_size, c.new_size) for c in world.call(Partitions.resize_ex).values()} == {(102400, 102400)}


def test_a_folder_that_has_gone(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(_: Path) -> Filesystem:
        raise FileNotFoundError(2, "No such file or directory")

    monkeypatch.setattr(world.machine, "filesystem", gone)
    with pytest.raises(VapiError) as error:
        world.call(Storage.get)
    assert refused(error) == (500, "resphere.appliance.folder")


def test_uptime(world: World) -> None:
    world.environment = msgspec.structs.replace(world.environment, now=lambda: NOW + timedelta(seconds=90.5))
    assert world.call(Uptime.get) == 90.5
