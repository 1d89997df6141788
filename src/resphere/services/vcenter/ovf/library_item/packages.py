"""The packages in libraries: their descriptors, read."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import NamedTuple

from resphere.contract.errors import InvalidArgument, ResourceInaccessible, message
from resphere.contract.generated import ids
from resphere.contract.generated.vcenter_ovf import LibraryItem as Contract
from resphere.inventory.content.items import LibraryFile, LibraryItem
from resphere.inventory.content.packages import PACKAGE, Part, part_of
from resphere.inventory.model import Folder, Host, ResourcePool
from resphere.libraries.on_demand import bring
from resphere.ovf.documents import MOST_DESCRIPTOR_BYTES
from resphere.ovf.model import Content, Descriptor, VirtualSystemCollection
from resphere.ovf.reading import Read, read
from resphere.rules.placement.resolution import Wanted, folder_of
from resphere.services.call import Call
from resphere.services.checks.content import require


class Package(NamedTuple):
    """An item and its descriptor, as it came."""

    item: LibraryItem
    file: LibraryFile
    content: bytes

    async def read(self, locale: str | None = None) -> Read:
        """What the descriptor says; large ones take a while, in a thread.

        :raises BadPackage: it is none.
        """
        return await asyncio.to_thread(read, self.content, self.file.name, locale)


async def package_of(call: Call, id: ids.ContentLibraryItemId) -> Package:
    """The package that an item is.

    :raises NotFound: there is no such item.
    :raises InvalidArgument: it is of another type.
    :raises ResourceInaccessible: it has no descriptor, or one that is too large to be one.
    """
    item = require(call.inventory, LibraryItem, id)
    if not item.is_package:
        raise InvalidArgument(
            message(
                "resphere.ovf.not_a_package",
                "The library item {0} is of the type {1}, and must be of the type {2}.",
                item.name,
                item.type or "none",
                PACKAGE,
            )
        )
    file = next((each for each in item.files if part_of(each.name) is Part.DESCRIPTOR), None)
    if file is None or file.size_bytes > MOST_DESCRIPTOR_BYTES:
        raise ResourceInaccessible(
            message(
                "resphere.ovf.no_descriptor",
                "The library item {0} has no descriptor: a file whose name ends with {1}, of at most {2} bytes.",
                item.name,
                Part.DESCRIPTOR,
                MOST_DESCRIPTOR_BYTES,
            )
        )
    return Package(item, file, await call.environment.library_files.read(file))


async def with_content(call: Call, package: Package) -> Package:
    """The package with all of its files, which are fetched where they are not here.

    :raises ResourceInaccessible: they cannot be.
    """
    if package.item.is_cached:
        return package
    await bring(call.unfiltered, call.environment.library_sync, package.item.id)
    return await package_of(call, package.item.id)


def require_target(call: Call, target: Contract.DeploymentTarget) -> None:
    """Refuse a target that names what there is not, or a folder that is not for VMs.

    :raises NotFound: there is no such resource pool, host or folder.
    :raises InvalidArgument: the folder is for something else.
    """
    call.require(ResourcePool, target.resource_pool_id)
    if target.host_id is not None:
        call.require(Host, target.host_id)
    if target.folder_id is not None:
        call.require(Folder, target.folder_id)
        folder_of(call.unfiltered, Wanted(folder=target.folder_id))


def contents_of(descriptor: Descriptor) -> Iterator[Content]:
    """The outermost content of a package, and all in it."""
    contents: list[Content] = [descriptor.content]
    while contents:
        content = contents.pop(0)
        yield content
        if isinstance(content, VirtualSystemCollection):
            contents += content.content


def eulas_of(descriptor: Descriptor) -> tuple[str, ...]:
    """All agreements that must be accepted."""
    return (*descriptor.eulas, *(eula for content in contents_of(descriptor) for eula in content.eulas))
