"""A package made of a machine, or of a vApp."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import msgspec

from resphere.contract.errors import (
    InvalidArgument,
    NotAllowedInCurrentState,
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
from resphere.contract.generated.vcenter_vm import Power
from resphere.inventory.content.items import LibraryFile, LibraryItem
from resphere.inventory.content.libraries import Library
from resphere.inventory.content.packages import PACKAGE, Part
from resphere.inventory.content.sessions import UpdateSession
from resphere.inventory.contents import DiskContent
from resphere.inventory.mentions import identified, named
from resphere.inventory.model import ResourcePool, VirtualMachine
from resphere.inventory.tables import file_stem
from resphere.inventory.vapp import VappConfiguration, VirtualApp
from resphere.libraries.disk_files import enlarged, whole
from resphere.libraries.files import LibraryFiles
from resphere.ovf.machine import Machine, MachineDisk, Vapp
from resphere.ovf.manifest import Algorithm, ManifestEntry, write_manifest
from resphere.ovf.model import File
from resphere.ovf.vmdk import write_empty
from resphere.ovf.writing import write_descriptor, write_vapp
from resphere.replica.edit import Edit
from resphere.rules.admission import admit
from resphere.rules.machines.packaging import PACKED, file_names, machine_of
from resphere.rules.vapp import packaged
from resphere.rules.vapp_packaging import Inside, ids_in, inside_of, machines_of, vapps_of
from resphere.services.call import Call
from resphere.services.checks.content import call_key, made_before, require, require_changeable, require_local
from resphere.services.content.library.item.item import new_item, put_item
from resphere.services.registry import implements
from resphere.services.vcenter.ovf import export_flag
from resphere.services.vcenter.ovf.library_item.results import errors_of, result_info
from resphere.turns import in_turns

INTERNAL = CertVerificationStatus.INTERNAL
"""Of a package that was made here, nobody asks who has signed it."""


class Packaged(NamedTuple):
    """The vApps of a package, the outermost first, and its machines, each with the VM that it is."""

    vapps: tuple[Vapp, ...]
    machines: tuple[tuple[VirtualMachine, Machine], ...]


@implements(Contract.create)
async def create(
    call: Call,
    client_token: str | None,
    source: Contract.DeployableIdentity,
    target: Contract.CreateTarget,
    create_spec: Contract.CreateSpec,
) -> Contract.CreateResult:
    """A package with the hardware of a VM, or of those in a vApp, and their disks, those that came from files as they
    came, others empty: a new item, or the content of one.

    What the server refuses is told in the result, not as an error (vCenter 7.0). The same call once more answers the
    same new item while that is there.

    :raises InvalidArgument: the source is neither a VM nor a vApp, the target names neither a library nor an item of
        type ``ovf``, or contradicts itself, or a flag or the name is none.
    :raises NotFound: there is no such VM, vApp, library or item.
    :raises NotAllowedInCurrentState: the vApp runs, or has nothing in it.
    :raises Unauthorized: there are VMs in the vApp that are not to be seen.
    """
    key = call_key(call, client_token)
    # The token of an item that is made without a source is another's.
    key = None if key is None else f"capture/{key}"
    before = made_before(call.unfiltered, LibraryItem, key)
    if before is not None:
        return captured(before.id)
    found = require_source(call, source)
    require_flags(create_spec)
    place = require_place(call, target)
    name = create_spec.name or (found.name if isinstance(found, VirtualMachine) else found.pool.name)
    spec = ItemModel(name=name, description=create_spec.description, type=PACKAGE)
    item = place if isinstance(place, LibraryItem) else new_item(call, spec, place.id, key)
    package = await package_of(call, found, name)
    try:
        files = await files_of(call, package, frozenset(create_spec.flags or ()))
    except VapiError as failure:
        return not_captured(call, failure)
    vms = tuple([vm for vm, _ in package.machines])
    try:
        await put_files(call, vms, item, files, is_new=isinstance(place, Library))
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


def require_source(call: Call, source: Contract.DeployableIdentity) -> VirtualMachine | Inside:
    """The VM that is captured, or the vApp with what is in it.

    :raises InvalidArgument: the source is something else.
    :raises NotFound: there is none.
    :raises NotAllowedInCurrentState: the vApp runs, or has nothing in it.
    :raises Unauthorized: there are VMs in the vApp that the caller does not see.
    """
    if source.type == VirtualMachine.resource_type:
        return call.require(VirtualMachine, source.id)
    if source.type != VirtualApp.resource_type:
        raise InvalidArgument(
            message(
                "resphere.ovf.source",
                "source.type: must be {0}, not {1}.",
                f"{VirtualMachine.resource_type} or {VirtualApp.resource_type}",
                source.type,
            )
        )
    pool = call.require(ResourcePool, source.id)
    app = call.unfiltered.get(VirtualApp, pool.id)
    if app is None:
        raise NotFound(message("resphere.ovf.no_vapp", "The resource pool {0} is no vApp.", identified(pool.id)))
    whole = inside_of(call.unfiltered, app, pool)
    vms = list(whole.all_vms())
    if any(call.get(VirtualMachine, vm.id) is None for vm in vms):
        raise Unauthorized(
            message("resphere.ovf.vapp_unseen", "There are machines in the vApp {0} that you do not see.", named(pool))
        )
    running = next((vm for vm in vms if vm.power_state is not Power.State.POWERED_OFF), None)
    if running is not None:
        raise NotAllowedInCurrentState(
            message(
                "resphere.ovf.vapp_runs",
                "The vApp {0} is not captured while a machine in it is not powered off: {1} is {2}.",
                named(pool),
                named(running),
                running.power_state.value,
            )
        )
    if not vms:
        raise NotAllowedInCurrentState(
            message("resphere.ovf.vapp_empty", "The vApp {0} has no machine in it.", named(pool))
        )
    return whole


async def package_of(call: Call, found: VirtualMachine | Inside, name: str) -> Packaged:
    """What is captured, as a package means it."""
    inventory = call.unfiltered
    vapps: tuple[Vapp, ...] = ()
    made: Iterator[tuple[VirtualMachine, Machine]]
    if isinstance(found, VirtualMachine):
        machine = machine_of(inventory, found, file_stem(name))
        made = iter([(found, msgspec.structs.replace(machine, name=name))])
    else:
        ids = ids_in(found, name)
        vapps, made = tuple(vapps_of(found, ids, name)), machines_of(inventory, found, ids)
    machines = []
    async for [(vm, machine)] in in_turns(made, 1):
        # A package may have thousands of properties.
        configuration = inventory.get(VappConfiguration, vm.id)
        machines.append((vm, await asyncio.to_thread(packaged, machine, configuration)))
    return Packaged(vapps, tuple(machines))


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


async def files_of(call: Call, package: Packaged, flags: frozenset[str]) -> tuple[LibraryFile, ...]:
    """The files of the package, stored: descriptor, disks of its machines, manifest.

    :raises UnableToAllocateResource: there is no room for their bytes.
    """
    library_files, made, machines = call.environment.library_files, list[LibraryFile](), []
    try:
        for vm, machine in package.machines:
            disks = []
            for key, disk in zip(vm.disks, machine.disks, strict=True):
                files = await files_of_disk(library_files, disk, vm.disk_contents.get(key))
                made += files
                disks.append(msgspec.structs.replace(disk, file=described(disk, files)))
            machines.append(msgspec.structs.replace(machine, disks=tuple(disks)))
        written = await asyncio.to_thread(descriptor_of, package.vapps, machines, flags)
        references = tuple([each.name for each in made])
        name = package.vapps[0].id if package.vapps else machines[0].id
        descriptor = await library_files.make(f"{name}{Part.DESCRIPTOR}", [written])
        made.insert(0, msgspec.structs.replace(descriptor, references=references))
        made.append(await library_files.make(f"{name}{Part.MANIFEST}", [manifest_of(made)]))
    except BaseException:
        await library_files.give_up(made)
        raise
    return tuple(made)


def descriptor_of(vapps: tuple[Vapp, ...], machines: Sequence[Machine], flags: frozenset[str]) -> bytes:
    """The descriptor of the package."""
    preserve_mac, extra_config = export_flag.PRESERVE_MAC in flags, export_flag.EXTRA_CONFIG in flags
    if vapps:
        return write_vapp(vapps, machines, preserve_mac=preserve_mac, extra_config=extra_config)
    return write_descriptor(machines[0], preserve_mac=preserve_mac, extra_config=extra_config)


async def files_of_disk(files: LibraryFiles, disk: MachineDisk, content: DiskContent | None) -> list[LibraryFile]:
    """What a disk is exported as: the file that it came from, whole, with more room where the disk has been made larger
    since, as far as its format tells that; else an empty one. What cannot be unpacked is as it came, in its pieces."""
    assert disk.file is not None, "each disk has its file"
    if content is None:
        return [await files.make(disk.file.href, write_empty(disk.capacity, disk.file.href))]
    if content.chunk_size is None and not content.compression:
        file = files.of_disk(disk.file.href, content.parts[0])
    else:
        unpacked = await whole(files, disk.file.href.removesuffix(PACKED), content)
        if unpacked is None:
            names = file_names(disk.file, len(content.parts))
            return [files.of_disk(name, part) for name, part in zip(names, content.parts, strict=True)]
        file = unpacked
    if disk.capacity > content.capacity:
        larger = await enlarged(files, file, disk.capacity)
        if larger is not None:
            await files.give_up([file])
            return [larger]
    return [file]


def described(disk: MachineDisk, files: Sequence[LibraryFile]) -> File:
    """What the descriptor says of the file of a disk, which is exported as those files."""
    assert disk.file is not None, "each disk has its file"
    size = sum(file.size_bytes for file in files)
    came = file_names(disk.file, len(files))
    if [file.name for file in files] == came:
        return msgspec.structs.replace(disk.file, size=size)
    return msgspec.structs.replace(disk.file, href=files[0].name, size=size, compression="", chunk_size=None)


def manifest_of(files: Iterable[LibraryFile]) -> bytes:
    """The manifest of the package."""
    return write_manifest(
        [ManifestEntry(each.name, Algorithm.SHA256, each.digests[ItemFile.ChecksumAlgorithm.SHA256]) for each in files]
    )


async def put_files(
    call: Call,
    vms: Iterable[VirtualMachine],
    item: LibraryItem,
    files: tuple[LibraryFile, ...],
    *,
    is_new: bool,
) -> None:
    """Have the item be there with those files and no others.

    :raises VapiError: the library takes nothing now, has an item of that name or no room, the item is being changed, or
        a VM has other disks by now.
    """

    def plan(edit: Edit) -> None:
        for vm in vms:
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
