"""Support bundles: what is in them, and what never is."""

from __future__ import annotations

import asyncio
import io
import json
import tarfile
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from resphere.appliance.bundles import GROUPS, HIDDEN, hidden
from resphere.contract.errors import InvalidArgument, NotAllowedInCurrentState, NotFound
from resphere.contract.extensions.support_bundles import SupportBundles
from resphere.contract.generated import ids
from resphere.contract.generated.appliance import Cores, SupportBundle
from resphere.contract.generated.appliance_support_bundle import Components
from resphere.contract.generated.appliance_system_security import GlobalFips
from resphere.contract.generated.cis_task import Status
from resphere.tasks.record import Task
from tests.services.vcenter.building import refused
from tests.support.world import NOW, World

ContentType = SupportBundle.ContentType
NONE = ids.ApplianceSupportbundleId("none")


@pytest.fixture(autouse=True)
def logs(world: World, tmp_path: Path) -> Path:
    folder = tmp_path / "log"
    folder.mkdir()
    (folder / "vpxd.log").write_bytes(b"a call\n")
    (folder / "resphere.log").write_bytes(b"an event\n")
    return folder


def bundle(world: World, **fields: object) -> SupportBundle.Info:
    spec = SupportBundle.CreateSpec(**{"description": "", **fields})  # type: ignore[arg-type]

    async def make() -> Task:
        ended = asyncio.Event()
        stop = world.inventory.subscribe(Task, lambda _, new: ended.set() if new and new.is_finished else None)
        task = await world.begin(SupportBundle.create_task, spec)
        await ended.wait()
        stop()
        found = world.inventory.get(Task, task)
        assert found is not None
        return found

    record = world.run(make())
    assert record.status is Status.SUCCEEDED, record.error
    made = record.result["id"]
    return next(each for each in world.call(SupportBundle.list, None, None).supportbundle_operations if each.id == made)


def contents(world: World, info: SupportBundle.Info) -> dict[str, bytes]:
    assert info.id is not None
    stream = world.call(SupportBundles.download, info.id)

    async def read() -> bytes:
        pieces = [piece async for piece in stream]
        await stream.close()
        return b"".join(pieces)

    with tarfile.open(fileobj=io.BytesIO(world.run(read()))) as archive:
        return {member.name: archive.extractfile(member).read() for member in archive}  # type: ignore[union-attr]


def test_all_of_it(world: World) -> None:
    info = bundle(world, description="for support")
    assert (info.description, info.status, info.downloadable) == ("for support", "SUCCEEDED", True)
    assert info.expiration_time == NOW + timedelta(hours=24)
    assert info.url == f"https://*/appliance/support-bundle/{info.id}"
    found = contents(world, info)
    assert set(found) == {
        "configuration/appliance-settings.json",
        "configuration/server-settings.json",
        "configuration/versions.json",
        "inventory/document-counts.json",
        "logs/resphere.log",
        "logs/vpxd.log",
        "machine/readings.json",
    }
    assert found["logs/vpxd.log"] == b"a call\n"
    assert json.loads(found["machine/readings.json"])["mem"] == "green"
    assert json.loads(found["inventory/document-counts.json"])["folder"] > 0
    assert "msgspec" in json.loads(found["configuration/versions.json"])


def test_chosen_parts(world: World) -> None:
    groups = world.call(Components.get)
    assert groups == GROUPS
    found = contents(world, bundle(world, components={"Logs": ("server",), "Configuration": ("versions",)}))
    assert set(found) == {"configuration/versions.json", "logs/resphere.log"}
    assert set(contents(world, bundle(world, components={"Machine": ()}))) == {"machine/readings.json"}


def test_core_files(world: World, tmp_path: Path) -> None:
    (tmp_path / "core.77").write_bytes(b"a core")
    (core,) = world.call(Cores.list)
    assert (core.name, core.size) == ("core.77", 6)
    assert "cores/core.77" not in contents(world, bundle(world, content_type=ContentType.LOGS))
    assert contents(world, bundle(world, content_type=ContentType.ALL))["cores/core.77"] == b"a core"
    found = contents(world, bundle(world, content_type=ContentType.CORES))
    assert "cores/core.77" in found
    assert not [name for name in found if name.startswith("logs/")]


def test_lists_are_filtered_and_bounded(world: World) -> None:
    made = [bundle(world, description=str(number)).id for number in range(3)]
    succeeded, failed = SupportBundle.CreationStatus.SUCCEEDED, SupportBundle.CreationStatus.FAILED

    def listed(filter: SupportBundle.FilterSpec | None = None, size: int | None = None) -> int:
        iteration = SupportBundle.IterationSpec(size=size)
        return len(world.call(SupportBundle.list, iteration, filter).supportbundle_operations)

    assert (listed(), listed(size=2)) == (3, 2)
    assert listed(SupportBundle.FilterSpec(creation_status=succeeded, available=True)) == 3
    assert listed(SupportBundle.FilterSpec(creation_status=failed)) == 0
    assert listed(SupportBundle.FilterSpec(available=False)) == 0
    assert made[0] is not None
    world.call(SupportBundle.delete, made[0])
    assert listed() == 2
    with pytest.raises(NotFound):
        world.call(SupportBundles.download, made[0])
    with pytest.raises(InvalidArgument) as error:
        listed(size=0)
    assert error.value.messages[0].args[0] == "iteration.size"


def test_what_has_expired_cannot_be_had_and_goes_with_the_next(world: World) -> None:
    first = bundle(world)
    world.environment = msgspec.structs.replace(world.environment, now=lambda: NOW + timedelta(hours=25))
    (shown,) = world.call(SupportBundle.list, None, None).supportbundle_operations
    assert shown.downloadable is False
    assert first.id is not None
    with pytest.raises(NotFound) as error:
        world.call(SupportBundles.download, first.id)
    assert refused(error) == (404, "resphere.appliance.bundle_gone")
    second = bundle(world)
    assert [each.id for each in world.call(SupportBundle.list, None, None).supportbundle_operations] == [second.id]


def test_one_at_a_time(world: World) -> None:
    operation = SupportBundle.create_task
    task = Task(
        id="task-1",
        service=operation.service,
        operation=operation.name,
        description="",
        owner="test",
        status=Status.RUNNING,
        queued_time=NOW,
        start_time=NOW,
    )
    world.put(task)
    with pytest.raises(NotAllowedInCurrentState) as error:
        world.call(operation, SupportBundle.CreateSpec(description=""))
    assert refused(error) == (400, "resphere.appliance.bundle_under_way")


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"components": {"Weather": ()}}, "spec.components"),
        ({"components": {"Logs": ("rain",)}}, "spec.components[Logs]"),
        ({"partition": "moon"}, "spec.partition"),
        ({"description": "x" * 1025}, "spec.description"),
    ],
)
def test_what_cannot_be_asked(world: World, fields: Mapping[str, object], field: str) -> None:
    with pytest.raises(InvalidArgument) as error:
        bundle(world, **fields)
    assert error.value.messages[0].args[0] == field


def test_unknown_ones(world: World) -> None:
    with pytest.raises(NotFound) as error:
        world.call(SupportBundle.delete, NONE)
    assert refused(error) == (404, "resphere.appliance.no_bundle")


def test_a_full_disk_is_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def full(*_: object) -> tuple[str, int, str]:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(type(world.environment.bundles), "make", full)
    info = bundle(world)
    assert info.status is SupportBundle.CreationStatus.FAILED
    assert info.failure_reason is not None
    assert info.downloadable is None


def test_fields_that_hold_secrets_are_hidden(world: World) -> None:
    world.call(GlobalFips.update, GlobalFips.UpdateSpec(enabled=True))
    found = json.loads(contents(world, bundle(world))["configuration/appliance-settings.json"])
    assert found == {"global_fips": {"type": "global_fips", "enabled": True}}
    plain = {"users": [{"name": "u", "password": "p"}], "api_key": "k", "x": {"secret_text": {"deep": 1}}}
    assert hidden(plain) == {
        "users": [{"name": "u", "password": HIDDEN}],
        "api_key": HIDDEN,
        "x": {"secret_text": HIDDEN},
    }
