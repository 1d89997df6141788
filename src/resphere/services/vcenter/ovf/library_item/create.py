"""A package made of a machine."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import msgspec

from resphere.contract.errors import (
    InvalidArgument,
    NotFound,
    ResourceBusy,
    Unauthorized,
    VapiError,
    message,
)
from resphere.contract.generated import ids
from resphere.contract.generated.content_library import ItemModel
from resphere.contract.generated.content_library_item import CertVerificationStatus
from resphere.contract.generated.content_library_item import File as ItemFile
from resphere.contract.generated.vcenter_ovf import LibraryItem as Contract
from resphere.inventory.content.items import LibraryFile, LibraryItem
from resphere.inventory.content.libraries import Library
from resphere.inventory.content.packages import PACKAGE, Part
from resphere.inventory.content.sessions import UpdateSession
from resphere.inventory.contents import DiskContent
from resphere.inventory.model import VirtualMachine
from resphere.inventory.tables import file_stem
from resphere.inventory.vapp import VappConfiguration
from resphere.libraries.disk_files import enlarged
from resphere.libraries.files import LibraryFiles
from resphere.ovf.machine import Machine, MachineDisk
from resphere.ovf.manifest import Algorithm, ManifestEntry, write_manifest
from resphere.ovf.vmdk import write_empty
from resphere.ovf.writing import write_descriptor
from resphere.replica.edit import Edit
from resphere.rules.admission import admit
from resphere.rules.machines.packaging import file_names, machine_of
from resphere.rules.vapp import packaged
from resphere.services.call import Call
from resphere.services.checks.content import call_key, made_before, require, require_changeable, require_local
from resphere.services.content.library.item.item import new_item, put_item
from resphere.services.registry import implements
from resphere.services.vcenter.ovf import export_flag
from resphere.services.vcenter.ovf.library_item.results import errors_of, result_info

INTERNAL = CertVerificationStatus.INTERNAL
"""Of a package that was made here, nobody asks who has signed it."""


@implements(Contract.create)
async def create(
    call: Call,
    client_token: str | None,
    source: Contract.DeployableIdentity,
    target: Contract.CreateTarget,
    create_spec: Contract.CreateSpec,
) -> Contract.CreateResult:
    """A package with the VM's hardware and its disks, those that came from files as they came, others empty: a new
    item, or the content of one.

    What the server refuses is told in the result, not as an error (vCenter 7.0). The same call once more answers the
    same new item while that is there.

    :raises InvalidArgument: the source is no VM, the target names neither a library nor an item of type ``ovf``, or
        contradicts itself, or a flag or the name is none.
    :raises NotFound: there is no such VM, library or item.
    """
    key = call_key(call, client_token)
    # The token of an item that is made without a source is another's.
    key = None if key is None else f"capture/{key}"
    before = made_before(call.unfiltered, LibraryItem, key)
    if before is not None:
        return captured(before.id)
    vm = require_source(call, source)
    require_flags(create_spec)
    place = require_place(call, target)
    name = create_spec.name or vm.name
    spec = ItemModel(name=name, description=create_spec.description, type=PACKAGE)
    item = place if isinstance(place, LibraryItem) else new_item(call, spec, place.id, key)
    machine = machine_of(call.unfiltered, vm, file_stem(name))
    configuration = call.unfiltered.get(VappConfiguration, vm.id)
    # A package may have thousands of properties.
    machine = await asyncio.to_thread(packaged, msgspec.structs.replace(machine, name=name), configuration)
    try:
        files = await files_of(call, vm, machine, frozenset(create_spec.flags or ()))
    except VapiError as failure:
        return not_captured(call, failure)
    try:
        await put_files(call, vm, item, files, is_new=isinstance(place, Library))
    except (NotFound, Unauthorized):
        await call.environment.library_files.give_up(files)
        raise
    except VapiError as failure:
        await call.environment.library_files.give_up(files)
        # The same call may have come twice at a time.
        before = made_before(call.unfiltered, LibraryItem, key)
        return not_captured(call, failure) if before is None else captured(before.id)
    except BaseException:
        await call.environment.library_files.give_up(files)
        raise
    return captured(item.id)


def captured(id: ids.ContentLibraryItemId) -> Contract.CreateResult:
    """The result of a success."""
    return Contract.CreateResult(succeeded=True, ovf_library_item_id=id, error=result_info())


def not_captured(call: Call, failure: VapiError) -> Contract.CreateResult:
    """The result of a failure."""
    return Contract.CreateResult(succeeded=False, error=result_info(errors_of(call, failure)))


def require_source(call: Call, source: Contract.DeployableIdentity) -> VirtualMachine:
    """The VM that is captured.

    :raises InvalidArgument: the source is something else.
    :raises NotFound: there is none.
    """
    if source.type != VirtualMachine.resource_type:
        raise InvalidArgument(
            message(
                "resphere.ovf.source",
                "source.type: must be {0}, not {1}.",
                VirtualMachine.resource_type,
                source.type,
            )
        )
    return call.require(VirtualMachine, source.id)


def require_flags(spec: Contract.CreateSpec) -> None:
    """Refuse flags that there are not.

    :raises InvalidArgument: naming one.
    """
    for flag in spec.flags or ():
        if flag not in export_flag.FLAGS:
            known = ", ".join(export_flag.FLAGS)
            raise InvalidArgument(
                message("resphere.ovf.export_flag", "create_spec.flags: must be of {0}, not {1}.", known, flag)
            )


def require_place(call: Call, target: Contract.CreateTarget) -> Library | LibraryItem:
    """The item whose content is replaced, or the library that gets a new one.

    :raises InvalidArgument: none is named, the item is no package, or of another library than the one that is named.
    :raises NotFound: there is none.
    """
    if target.library_item_id is None:
        if target.library_id is None:
            raise InvalidArgument(
                message("resphere.ovf.no_target", "target: one of library_id and library_item_id must be set.")
            )
        return require(call.inventory, Library, target.library_id)
    item = require(call.inventory, LibraryItem, target.library_item_id)
    if not item.is_package or target.library_id not in (None, item.library):
        raise InvalidArgument(
            message(
                "resphere.ovf.target",
                "target.library_item_id: must be an item of the type {0} in the library that library_id names.",
                PACKAGE,
            )
        )
    return item


async def files_of(call: Call, vm: VirtualMachine, machine: Machine, flags: frozenset[str]) -> tuple[LibraryFile, ...]:
    """The files of the package, stored: descriptor, disks of the VM, manifest.

    :raises UnableToAllocateResource: there is no room for their bytes.
    """
    library_files, made, disks = call.environment.library_files, list[LibraryFile](), []
    try:
        for key, disk in zip(vm.disks, machine.disks, strict=True):
            files = await files_of_disk(library_files, disk, vm.disk_contents.get(key))
            made += files
            assert disk.file is not None, "each disk has its file"
            size = sum(file.size_bytes for file in files)
            disks.append(msgspec.structs.replace(disk, file=msgspec.structs.replace(disk.file, size=size)))
        written = await asyncio.to_thread(
            write_descriptor,
            msgspec.structs.replace(machine, disks=tuple(disks)),
            preserve_mac=export_flag.PRESERVE_MAC in flags,
            extra_config=export_flag.EXTRA_CONFIG in flags,
        )
        references = tuple([each.name for each in made])
        descriptor = await library_files.make(f"{machine.id}{Part.DESCRIPTOR}", [written])
        made.insert(0, msgspec.structs.replace(descriptor, references=references))
        made.append(await library_files.make(f"{machine.id}{Part.MANIFEST}", [manifest_of(made)]))
    except BaseException:
        await library_files.give_up(made)
        raise
    return tuple(made)


async def files_of_disk(files: LibraryFiles, disk: MachineDisk, content: DiskContent | None) -> list[LibraryFile]:
    """What a disk is exported as: the file that it came from, or its pieces, with more room where the disk has been
    made larger since, as far as its format tells that; else an empty one."""
    assert disk.file is not None, "each disk has its file"
    if content is None:
        return [await files.make(disk.file.href, write_empty(disk.capacity, disk.file.href))]
    names = file_names(disk.file, len(content.parts))
    came = [files.of_disk(name, part) for name, part in zip(names, content.parts, strict=True)]
    if disk.capacity > content.capacity and content.chunk_size is None and not content.compression:
        larger = await enlarged(files, came[0], disk.capacity)
        return came if larger is None else [larger]
    return came


def manifest_of(files: Iterable[LibraryFile]) -> bytes:
    """The manifest of the package."""
    return write_manifest(
        [ManifestEntry(each.name, Algorithm.SHA256, each.digests[ItemFile.ChecksumAlgorithm.SHA256]) for each in files]
    )


async def put_files(
    call: Call, vm: VirtualMachine, item: LibraryItem, files: tuple[LibraryFile, ...], *, is_new: bool
) -> None:
    """Have the item be there with those files and no others.

    :raises VapiError: the library takes nothing now, has an item of that name or no room, the item is being changed, or
        the VM has other disks by now.
    """

    def plan(edit: Edit) -> None:
        require_same_disks(edit, vm)
        if is_new:
            library, had = put_item(call, edit, msgspec.structs.replace(item, files=files, verification=INTERNAL)), 0
        else:
            current = require(edit, LibraryItem, item.id)
            library, had = require(edit, Library, current.library), current.size_bytes
            edit.rely_on(library)
            require_local(library)
            require_changeable(library)
            require_no_session(call, current)
            edit.put(
                msgspec.structs.replace(
                    current,
                    files=tuple([following(current, each) for each in files]),
                    verification=INTERNAL,
                    certificates=(),
                    remote=None,
                    content_version=current.content_version + 1,
                    modified=call.environment.now(),
                )
            )
        more = sum(file.size_bytes for file in files) - had
        if library.datastore is not None and more > 0:
            admit(call.unfiltered, edit, {library.datastore: more})

    await call.unfiltered.change(plan)


def require_same_disks(edit: Edit, vm: VirtualMachine) -> None:
    """Have the bytes of the VM's disks be there until the item names them.

    :raises ResourceBusy: the VM is gone, or its disks are others.
    """
    current = edit.get(VirtualMachine, vm.id)
    if current is None or current.disk_contents != vm.disk_contents:
        raise ResourceBusy(message("resphere.ovf.disks_changed", "The disks of the virtual machine were changed."))
    if vm.disk_contents:
        edit.rely_on(current)


def following(item: LibraryItem, file: LibraryFile) -> LibraryFile:
    """The file in the place of the one of its name."""
    present = item.file(file.name)
    return file if present is None else msgspec.structs.replace(file, version=present.version + 1)


def require_no_session(call: Call, item: LibraryItem) -> None:
    """Refuse to replace what an update session changes.

    :raises ResourceBusy: one does.
    """
    files = call.environment.library_files
    for session in call.unfiltered.by(UpdateSession, "item", item.id).values():
        if session.is_active and not files.is_over(session):
            raise ResourceBusy(
                message("resphere.ovf.item_busy", "An update session on the library item {0} is active.", item.name)
            )
