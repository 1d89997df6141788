"""Transfers of files into guests and out of them, in this process."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from urllib.parse import parse_qs, urlsplit

import msgspec

from resphere.contract.extensions.guest_transfers import GuestTransfers
from resphere.contract.generated import ids
from resphere.contract.generated.vcenter_vm_guest_filesystem import Transfers
from resphere.contract.model import ByteStream, Secret
from tests.support.guests import ADMINISTRATOR, ROOT
from tests.support.world import World

Id = ids.VirtualMachineId
Attributes = Transfers.FileCreationAttributes


class Pieces(msgspec.Struct, frozen=True):
    """A body that comes in these pieces; ``size_bytes`` is what its sender has said of it."""

    pieces: Iterable[bytes]
    size_bytes: int | None = None

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self.pieces:
            yield piece

    async def close(self) -> None:
        """Nothing holds anything."""


def agree(world: World, vm: Id, path: str, attributes: Attributes | None = None) -> tuple[str, Secret]:
    """Id and token of a new transfer's address."""
    credentials = ADMINISTRATOR if path[1:2] == ":" else ROOT
    spec = Transfers.CreateSpec(path=path, attributes=attributes)
    address = urlsplit(world.call(Transfers.create, vm, credentials, spec))
    assert (address.scheme, address.netloc, address.path) == ("https", "*", "/guestFile")
    query = parse_qs(address.query)
    return query["id"][0], Secret(query["token"][0])


def send(world: World, vm: Id, path: str, data: bytes) -> None:
    """Put a file into the guest, in place of one that may be there."""
    address = agree(world, vm, path, Attributes(size=len(data), overwrite=True))
    world.call(GuestTransfers.upload, *address, Pieces([data[at : at + 10_000] for at in range(0, len(data), 10_000)]))


def fetch(world: World, vm: Id, path: str) -> bytes:
    """A file of the guest."""
    return taken(world, world.call(GuestTransfers.download, *agree(world, vm, path)))


def taken(world: World, stream: ByteStream) -> bytes:
    """All of a stream, which says itself how long it is."""

    async def take() -> bytes:
        try:
            return b"".join([piece async for piece in stream])
        finally:
            await stream.close()

    data = world.run(take())
    assert stream.size_bytes == len(data)
    return data
