"""Large files of guests: where they are, who shares them, and when they go."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Iterator

import msgspec
import pytest

from resphere.contract.errors import InvalidArgument, InvalidRequest, NotFound, UnableToAllocateResource, message
from resphere.contract.extensions.guest_transfers import GuestTransfers
from resphere.contract.extensions.vm_snapshots import VmSnapshots
from resphere.contract.generated import ids, vcenter
from resphere.contract.generated.vcenter_vm import Power
from resphere.contract.generated.vcenter_vm_guest import LocalFilesystem
from resphere.contract.generated.vcenter_vm_guest_filesystem import Directories, Files
from resphere.inventory.guest import DOCUMENT_BYTES, GuestContent, GuestSystem, content_id, digest_of
from resphere.inventory.model import Snapshot, VirtualMachine
from resphere.providers.simulator.guest.systems import Systems
from resphere.providers.simulator.guest.tree import Limits
from resphere.providers.simulator.work.transfers import Transfers
from resphere.replica.edit import Edit
from resphere.store.base import ContentMissing, Reading
from resphere.store.contents import FolderContents
from tests.support.guests import ROOT, run_shell
from tests.support.invariants import require_sound
from tests.support.transfers import Attributes, Pieces, agree, fetch, send, taken
from tests.support.world import World

Id = ids.VirtualMachineId
LARGE = bytes(range(256)) * 1000


def kept(world: World) -> list[bytes]:
    """The contents beside the store."""
    return [file.read_bytes() for file in sorted(world.contents.folder.iterdir())]


def instant_clone(world: World, vm: Id, name: str = "clone") -> Id:
    return world.call(vcenter.VM.instant_clone, vcenter.VM.InstantCloneSpec(source=vm, name=name))


def test_only_what_is_large_is_beside_the_store(world: World, vm: Id) -> None:
    send(world, vm, "/srv/small", bytes(DOCUMENT_BYTES))
    assert kept(world) == []
    send(world, vm, "/srv/large", LARGE)
    assert kept(world) == [LARGE]
    assert all(len(content.data) <= DOCUMENT_BYTES for content in world.inventory.all(GuestContent).values())
    assert fetch(world, vm, "/srv/small") == bytes(DOCUMENT_BYTES)
    assert fetch(world, vm, "/srv/large") == LARGE


def test_it_goes_with_the_file(world: World, vm: Id) -> None:
    send(world, vm, "/srv/x", LARGE)
    send(world, vm, "/srv/x", LARGE[:-1])
    assert kept(world) == [LARGE[:-1]]
    world.call(Files.delete, vm, ROOT, "/srv/x")
    assert kept(world) == []


def test_it_goes_with_the_directory_and_with_the_vm(world: World, vm: Id) -> None:
    world.call(Directories.create, vm, ROOT, "/srv/d", None)
    send(world, vm, "/srv/d/x", LARGE)
    world.call(Directories.delete, vm, ROOT, "/srv/d", True)
    assert kept(world) == []
    send(world, vm, "/srv/x", LARGE)
    world.call(Power.stop, vm)
    world.call(vcenter.VM.delete, vm)
    assert kept(world) == []


def test_programs_copy_it_without_reading_it(world: World, vm: Id) -> None:
    send(world, vm, "/srv/x", LARGE)
    assert run_shell(world, vm, "cp /srv/x /srv/y; mv /srv/y /srv/z; rm /srv/x") == 0
    assert kept(world) == [LARGE]
    assert fetch(world, vm, "/srv/z") == LARGE
    assert run_shell(world, vm, "cat /srv/z /etc/hostname > /srv/both") == 0
    assert fetch(world, vm, "/srv/both") == LARGE + fetch(world, vm, "/etc/hostname")
    assert run_shell(world, vm, "rm /srv/z") == 0
    assert kept(world) == []


def test_the_guest_s_disk_fills(world: World, vm: Id) -> None:
    before = world.call(LocalFilesystem.get, vm)
    send(world, vm, "/srv/x", LARGE)
    assert run_shell(world, vm, "cp /srv/x /srv/y") == 0
    after = world.call(LocalFilesystem.get, vm)
    assert after["/"].free_space == before["/"].free_space - 2 * len(LARGE)
    assert {mount: each.capacity for mount, each in after.items()} == {m: each.capacity for m, each in before.items()}
    assert run_shell(world, vm, "rm /srv/x /srv/y") == 0
    assert world.call(LocalFilesystem.get, vm) == before


def test_clones_share_it(world: World, vm: Id) -> None:
    send(world, vm, "/srv/x", LARGE)
    clone = instant_clone(world, vm)
    assert kept(world) == [LARGE]
    assert fetch(world, clone, "/srv/x") == LARGE
    world.call(Files.delete, vm, ROOT, "/srv/x")
    with pytest.raises(NotFound):
        fetch(world, vm, "/srv/x")
    assert fetch(world, clone, "/srv/x") == LARGE
    world.call(Files.delete, clone, ROOT, "/srv/x")
    assert kept(world) == []


def test_snapshots_keep_it(world: World, vm: Id) -> None:
    send(world, vm, "/srv/x", LARGE)
    snapshot = world.call(VmSnapshots.create, vm, VmSnapshots.CreateSpec(name="s", memory=True))
    world.call(Files.delete, vm, ROOT, "/srv/x")
    assert kept(world) == [LARGE]
    world.call(VmSnapshots.revert, vm, snapshot)
    assert fetch(world, vm, "/srv/x") == LARGE
    world.call(Files.delete, vm, ROOT, "/srv/x")
    world.call(VmSnapshots.delete, vm, snapshot, None, None)
    assert kept(world) == []


@pytest.mark.parametrize("first", [0, 1])
def test_a_snapshot_while_the_file_is_deleted(world: World, vm: Id, first: int) -> None:
    send(world, vm, "/srv/x", LARGE)
    both = [
        world.begin(Files.delete, vm, ROOT, "/srv/x"),
        world.begin(VmSnapshots.create, vm, VmSnapshots.CreateSpec(name="s", memory=True)),
    ]

    async def at_once() -> None:
        await asyncio.gather(both[first], both[1 - first])

    world.run(at_once())
    (snapshot,) = world.inventory.by(Snapshot, "parent", vm)
    require_sound(world.inventory)
    world.call(VmSnapshots.revert, vm, snapshot)
    system = world.inventory.get(GuestSystem, vm)
    assert system is not None
    if "srv/x" in system.nodes:
        assert fetch(world, vm, "/srv/x") == LARGE
    else:
        assert kept(world) == []


@pytest.mark.parametrize("first", [0, 1])
def test_a_clone_while_the_file_is_deleted(world: World, vm: Id, first: int) -> None:
    send(world, vm, "/srv/x", LARGE)
    both = [
        world.begin(Files.delete, vm, ROOT, "/srv/x"),
        world.begin(vcenter.VM.instant_clone, vcenter.VM.InstantCloneSpec(source=vm, name="clone")),
    ]

    async def at_once() -> None:
        await asyncio.gather(both[first], both[1 - first])

    world.run(at_once())
    require_sound(world.inventory)
    assert kept(world) in ([], [LARGE])


@pytest.mark.parametrize("first", [0, 1])
def test_an_upload_while_the_vm_is_deleted(world: World, vm: Id, first: int) -> None:
    address = agree(world, vm, "/srv/x", Attributes(size=len(LARGE)))
    machine = world.inventory.get(VirtualMachine, vm)
    assert machine is not None

    async def delete() -> None:
        await world.inventory.change(lambda edit: edit.delete(VirtualMachine, vm))

    both = [world.begin(GuestTransfers.upload, *address, Pieces([LARGE])), delete()]

    async def at_once() -> list[object]:
        return list(await asyncio.gather(both[first], both[1 - first], return_exceptions=True))

    outcomes = [outcome for outcome in world.run(at_once()) if outcome is not None]
    assert [type(outcome) for outcome in outcomes] in ([], [NotFound])
    assert kept(world) == []
    assert not world.inventory.all(GuestContent)


def test_it_comes_back_with_a_registered_vm(world: World, vm: Id) -> None:
    send(world, vm, "/srv/x", LARGE)
    world.call(Power.stop, vm)
    machine = world.inventory.get(VirtualMachine, vm)
    assert machine is not None
    world.call(vcenter.VM.unregister, vm)
    assert kept(world) == [LARGE]
    placement = vcenter.VM.RegisterPlacementSpec(
        folder=ids.FolderId(machine.parent or ""), host=machine.host, resource_pool=machine.resource_pool
    )
    spec = vcenter.VM.RegisterSpec(datastore_path=machine.vmx_path, name=machine.name, placement=placement)
    again = world.call(vcenter.VM.register, spec)
    world.call(Power.start, again)
    assert fetch(world, again, "/srv/x") == LARGE


def test_a_download_goes_on_when_the_file_is_deleted(world: World, vm: Id) -> None:
    send(world, vm, "/srv/x", LARGE)
    stream = world.call(GuestTransfers.download, *agree(world, vm, "/srv/x"))
    world.call(Files.delete, vm, ROOT, "/srv/x")
    assert kept(world) == []
    assert taken(world, stream) == LARGE


def test_what_does_not_come_whole_leaves_nothing(world: World, vm: Id) -> None:
    def breaks_off() -> Iterator[bytes]:
        yield LARGE[:100_000]
        raise InvalidRequest(message("resphere.body_incomplete", "The client left."))

    address = agree(world, vm, "/srv/x", Attributes(size=len(LARGE)))
    with pytest.raises(InvalidRequest):
        world.call(GuestTransfers.upload, *address, Pieces(breaks_off()))
    for wrong in ([LARGE, b"x"], [LARGE[1:]]):
        with pytest.raises(InvalidArgument) as refusal:
            world.call(GuestTransfers.upload, *address, Pieces(wrong))
        assert refusal.value.messages[0].id == "resphere.vm.guest.other_size"
    assert kept(world) == []
    with pytest.raises(NotFound):
        fetch(world, vm, "/srv/x")
    world.call(GuestTransfers.upload, *address, Pieces([LARGE]))
    assert fetch(world, vm, "/srv/x") == LARGE


def test_of_two_at_one_address_one_is_taken(world: World, vm: Id) -> None:
    address = agree(world, vm, "/srv/x", Attributes(size=len(LARGE)))
    first = world.begin(GuestTransfers.upload, *address, Pieces([LARGE]))
    second = world.begin(GuestTransfers.upload, *address, Pieces([LARGE[::-1]]))

    async def both() -> list[object]:
        return list(await asyncio.gather(first, second, return_exceptions=True))

    outcomes = world.run(both())
    refused = [outcome for outcome in outcomes if outcome is not None]
    assert [type(outcome) for outcome in refused] == [NotFound]
    assert kept(world) == [fetch(world, vm, "/srv/x")]


def test_a_full_disk_of_the_server(world: World, vm: Id, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    address = agree(world, vm, "/srv/x", Attributes(size=len(LARGE)))
    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(UnableToAllocateResource) as refusal:
        world.call(GuestTransfers.upload, *address, Pieces([LARGE]))
    assert refusal.value.messages[0].id == "vmsg.NoDiskSpace.summary"
    assert kept(world) == []


def test_what_dead_workers_left_is_deleted_and_nothing_else(world: World, vm: Id) -> None:
    send(world, vm, "/srv/x", LARGE)
    (own,) = (file.name for file in world.contents.folder.iterdir())
    for name in ("dead.1", "dead.2.part", "alive.1", "alive.2.part"):
        (world.contents.folder / name).write_bytes(b"left behind")
    (world.contents.folder / "notes").write_bytes(b"somebody's own")
    contents = FolderContents(world.contents.folder, "new", lambda worker: worker == "alive")
    systems = Systems(world.inventory, contents, Limits())
    world.run(Transfers(world.inventory, contents, systems).clean_up())
    assert sorted(file.name for file in contents.folder.iterdir()) == ["alive.1", "alive.2.part", "notes", own]
    assert fetch(world, vm, "/srv/x") == LARGE


def test_a_content_that_goes_at_that_moment_is_looked_for_again(
    world: World, vm: Id, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another worker may have deleted it since this one heard of changes last."""
    send(world, vm, "/srv/x", LARGE)
    opened = world.contents.open
    missing = [1]

    async def open_(name: str) -> Reading:
        if missing:
            missing.pop()
            raise ContentMissing(name)
        return await opened(name)

    monkeypatch.setattr(world.contents, "open", open_)
    assert fetch(world, vm, "/srv/x") == LARGE
    assert not missing


def test_contents_of_earlier_data_directories_are_read(world: World, vm: Id) -> None:
    send(world, vm, "/srv/x", LARGE)
    system = world.inventory.get(GuestSystem, vm)
    assert system is not None
    digest = digest_of(LARGE)
    node = msgspec.structs.replace(system.nodes["srv/x"], file=None, digest=digest)

    def plan(edit: Edit) -> None:
        edit.put(msgspec.structs.replace(system, nodes={**system.nodes, "srv/x": node}))
        edit.put(GuestContent(id=content_id(vm, digest), machine=vm, data=LARGE))
        edit.delete(GuestContent, content_id(vm, system.nodes["srv/x"].file or ""))

    world.run(world.inventory.change(plan))
    assert fetch(world, vm, "/srv/x") == LARGE
    assert fetch(world, instant_clone(world, vm), "/srv/x") == LARGE
