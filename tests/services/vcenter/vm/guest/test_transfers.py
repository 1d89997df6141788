"""Transfers of files: addresses that are good once, for some time, and for one start of the guest."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest

from resphere.contract.errors import (
    AlreadyExists,
    InvalidArgument,
    NotAllowedInCurrentState,
    NotFound,
    UnableToAllocateResource,
)
from resphere.contract.extensions.guest_transfers import GuestTransfers
from resphere.contract.generated import ids
from resphere.contract.generated.vcenter_vm import GuestOSFamily, Power
from resphere.contract.generated.vcenter_vm_guest_filesystem import Directories, Files, Transfers
from resphere.contract.model import Secret, WholeBytes
from resphere.inventory.guest import GuestSystem, GuestTransfer
from resphere.inventory.model import Host, VirtualMachine
from tests.support.guests import ADMINISTRATOR, ROOT, ready_vm
from tests.support.transfers import Attributes, Pieces, agree, fetch, send, taken
from tests.support.world import NOW, World

Id = ids.VirtualMachineId


def untouched() -> Pieces:
    """A body that nobody may ask for."""

    def pieces() -> Iterator[bytes]:
        raise AssertionError("the body is read")
        yield b""

    return Pieces(pieces())


@pytest.mark.parametrize("data", [b"", b"short\0\xff", bytes(range(256)) * 4000])
def test_what_goes_in_comes_out(world: World, vm: Id, data: bytes) -> None:
    into = agree(
        world,
        vm,
        "/tmp/x",
        Attributes(size=len(data), posix=Transfers.PosixFileAttributesCreateSpec(permissions="755")),
    )
    world.call(GuestTransfers.upload, *into, WholeBytes(data))
    found = world.call(Files.get, vm, ROOT, "/tmp/x")
    assert found.size == len(data)
    assert found.attributes.posix_attributes is not None
    assert found.attributes.posix_attributes.permissions == "0755"
    assert fetch(world, vm, "/tmp/x") == data
    assert not world.inventory.all(GuestTransfer)


def test_an_address_is_good_once(world: World, vm: Id) -> None:
    address = agree(world, vm, "/etc/hostname")
    assert taken(world, world.call(GuestTransfers.download, *address))
    with pytest.raises(NotFound) as refusal:
        world.call(GuestTransfers.download, *address)
    assert refusal.value.messages[0].id == "resphere.vm.guest.no_transfer"


def test_an_address_is_for_one_way_and_needs_its_token(world: World, vm: Id) -> None:
    identity, token = agree(world, vm, "/etc/hostname")
    for wrong in ((identity, Secret("wrong")), ("none", token), (identity, Secret(""))):
        with pytest.raises(NotFound):
            world.call(GuestTransfers.download, *wrong)
    with pytest.raises(NotFound):
        world.call(GuestTransfers.upload, identity, token, WholeBytes(b"x"))
    stored = next(iter(world.inventory.all(GuestTransfer).values()))
    assert token not in str(stored)
    assert taken(world, world.call(GuestTransfers.download, identity, token))


def test_an_address_has_its_time(world: World, vm: Id) -> None:
    address = agree(world, vm, "/etc/hostname")
    world.environment = msgspec.structs.replace(world.environment, now=lambda: NOW + timedelta(minutes=10))
    with pytest.raises(NotFound):
        world.call(GuestTransfers.download, *address)


def test_power_and_moves_end_it(world: World, vm: Id) -> None:
    address = agree(world, vm, "/etc/hostname")
    world.call(Power.stop, vm)
    with pytest.raises(NotFound):
        world.call(GuestTransfers.download, *address)
    world.call(Power.start, vm)
    moved = agree(world, vm, "/etc/hostname")
    machine = world.inventory.get(VirtualMachine, vm)
    assert machine is not None
    other = next(host for host in world.inventory.all(Host) if host != machine.host)
    world.change(machine, host=other)
    with pytest.raises(NotFound):
        world.call(GuestTransfers.download, *moved)


def test_the_size_is_as_announced(world: World, vm: Id) -> None:
    address = agree(world, vm, "/tmp/x", Attributes(size=3))
    announced = msgspec.structs.replace(untouched(), size_bytes=4)
    for other in (WholeBytes(b"four"), Pieces([b"fo", b"ur"]), Pieces([b"2"]), announced):
        with pytest.raises(InvalidArgument) as refusal:
            world.call(GuestTransfers.upload, *address, other)
        assert refusal.value.messages[0].id == "resphere.vm.guest.other_size"
    world.call(GuestTransfers.upload, *address, WholeBytes(b"333"))


def test_files_that_are_there(world: World, vm: Id) -> None:
    with pytest.raises(AlreadyExists):
        agree(world, vm, "/etc/hosts", Attributes(size=1))
    send(world, vm, "/etc/hosts", b"h")
    assert fetch(world, vm, "/etc/hosts") == b"h"
    late = agree(world, vm, "/tmp/x", Attributes(size=1))
    world.call(Directories.create, vm, ROOT, "/tmp/x", None)
    with pytest.raises(InvalidArgument):
        world.call(GuestTransfers.upload, *late, WholeBytes(b"x"))


@pytest.mark.parametrize(
    ("path", "attributes", "message_id"),
    [
        ("/etc", None, "vmsg.NotAFile.summary"),
        ("/etc", Attributes(size=1, overwrite=True), "vmsg.NotAFile.summary"),
        ("/bin", None, "vmsg.NotAFile.summary"),
        ("/tmp/x", Attributes(size=-1), "resphere.vm.guest.size"),
        ("/tmp/x", Attributes(size=2**40), "vmsg.FileTooLarge.summary"),
        (
            "/tmp/x",
            Attributes(size=1, windows=Transfers.WindowsFileAttributesCreateSpec()),
            "resphere.vm.guest.wrong_attributes",
        ),
    ],
)
def test_transfers_that_cannot_be(
    world: World, vm: Id, path: str, attributes: Attributes | None, message_id: str
) -> None:
    with pytest.raises(InvalidArgument) as refusal:
        agree(world, vm, path, attributes)
    assert refusal.value.messages[0].id == message_id
    with pytest.raises(NotFound):
        agree(world, vm, "/none")
    assert not world.inventory.all(GuestSystem)


def test_the_disk_has_an_end(world: World, vm: Id) -> None:
    machine = world.inventory.get(VirtualMachine, vm)
    assert machine is not None
    assert machine.guest is not None
    system = msgspec.structs.replace(machine.guest.filesystems["/"], free_space=300_000)
    world.change(machine, guest=msgspec.structs.replace(machine.guest, filesystems={"/": system}))
    first, second = (agree(world, vm, f"/tmp/{number}", Attributes(size=200_000)) for number in range(2))
    world.call(GuestTransfers.upload, *first, WholeBytes(bytes(200_000)))
    with pytest.raises(UnableToAllocateResource) as refusal:
        agree(world, vm, "/tmp/last", Attributes(size=200_000))
    assert refusal.value.messages[0].id == "vmsg.NoDiskSpace.summary"
    with pytest.raises(UnableToAllocateResource):
        world.call(GuestTransfers.upload, *second, untouched())
    send(world, vm, "/tmp/0", bytes(250_000))


def test_the_vm_must_run(world: World, vm: Id) -> None:
    world.call(Power.stop, vm)
    with pytest.raises(NotAllowedInCurrentState):
        agree(world, vm, "/etc/hostname")


def test_windows_attributes(world: World) -> None:
    vm = ready_vm(world, GuestOSFamily.WINDOWS)
    spec = Transfers.CreateSpec(
        path="C:\\Temp\\x",
        attributes=Attributes(size=1, windows=Transfers.WindowsFileAttributesCreateSpec(hidden=True)),
    )
    query = parse_qs(urlsplit(world.call(Transfers.create, vm, ADMINISTRATOR, spec)).query)
    world.call(GuestTransfers.upload, query["id"][0], Secret(query["token"][0]), WholeBytes(b"x"))
    found = world.call(Files.get, vm, ADMINISTRATOR, "C:\\Temp\\x").attributes.win_attributes
    assert found is not None
    assert found.hidden
