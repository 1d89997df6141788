"""The files of a package, as the disks and drives of a machine that is made of it have them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import count
from urllib.parse import unquote

import msgspec

from resphere.contract.generated import ids
from resphere.contract.generated.vcenter_vm_hardware import Cdrom, Floppy
from resphere.inventory.content.items import LibraryFile
from resphere.inventory.contents import DiskContent
from resphere.inventory.model import VirtualMachine
from resphere.ovf.issues import BadPackage, Category, issue
from resphere.ovf.machine import Drive, Machine
from resphere.ovf.model import File
from resphere.ovf.reading import stored_names
from resphere.rules.hardware.addresses import Bus, BusPlace, key_of
from resphere.rules.machines.creation import Spec

DiskKey = ids.VcenterVmHardwareDiskId


def disk_files_of(machine: Machine) -> tuple[File, ...]:
    """The files that disks of the machine are made of."""
    return _distinct(disk.file for disk in machine.disks)


def files_of(machine: Machine) -> tuple[File, ...]:
    """All files that the machine needs: those of its disks, and images in its drives."""
    images = (*(drive.file for drive in machine.cdroms), *(drive.file for drive in machine.floppies))
    return _distinct((*disk_files_of(machine), *images))


def _distinct(named: Iterable[File | None]) -> tuple[File, ...]:
    return tuple({file.id: file for file in named if file is not None}.values())


def require_files(wanted: Iterable[File], there: Iterable[LibraryFile], descriptor: str) -> None:
    """Refuse a package that lacks a file which is wanted; ``descriptor`` is the name of its descriptor.

    :raises BadPackage: it does.
    """
    files = _by_name(there)
    missing = [file for file in wanted if not _found(file, files)]
    if missing:
        raise BadPackage(
            [
                issue(
                    Category.VALUE_ILLEGAL,
                    descriptor,
                    file.place,
                    "file_missing",
                    "The file {0} is not in the package, or not all of it.",
                    file.href,
                )
                for file in missing
            ]
        )


def contents_of(machine: Machine, there: Iterable[LibraryFile]) -> dict[DiskKey, DiskContent]:
    """What the machine's disks hold, by their keys; those without a file are empty."""
    made, files = {}, _by_name(there)
    for disk in machine.disks:
        found = () if disk.file is None else _found(disk.file, files)
        if disk.file is not None and found:
            made[DiskKey(_key(disk.place))] = DiskContent(
                parts=tuple([file.part for file in found]),
                capacity=disk.capacity,
                format=disk.format,
                compression=disk.file.compression,
                chunk_size=disk.file.chunk_size if len(found) > 1 else None,
            )
    return made


def with_images(spec: Spec, machine: Machine, there: Iterable[LibraryFile], folder: str) -> Spec:
    """``spec``, made of the machine, with the package's images in its drives, as they lie in the item's ``folder`` on a
    datastore (``[store] contentlib-.../...``). An image that is compressed or in pieces is in none."""
    files, cdroms = _by_name(there), list(spec.cdroms or ())
    for number, drive in enumerate(machine.cdroms):
        path = _image(drive.file, files, folder)
        if path is not None:
            cdroms[number] = msgspec.structs.replace(
                cdroms[number],
                backing=Cdrom.BackingSpec(type=Cdrom.BackingType.ISO_FILE, iso_file=path),
                start_connected=drive.start_connected,
            )
    floppies = list(spec.floppies or ())
    for number, floppy in enumerate(machine.floppies):
        path = _image(floppy.file, files, folder)
        if path is not None:
            floppies[number] = msgspec.structs.replace(
                floppies[number],
                backing=Floppy.BackingSpec(type=Floppy.BackingType.IMAGE_FILE, image_file=path),
                start_connected=floppy.start_connected,
            )
    return msgspec.structs.replace(spec, cdroms=tuple(cdroms), floppies=tuple(floppies))


def own_images_of(machine: Machine) -> tuple[File, ...]:
    """The files of the package that CD-ROM drives of the machine can have; none that is compressed or in pieces."""
    files = _distinct(drive.file for drive in machine.cdroms)
    return tuple([file for file in files if not file.compression and file.chunk_size is None])


def web_files_of(machine: Machine) -> tuple[File, ...]:
    """The files that are fetched for a machine of a package on the web: those of its disks, and images of its CD-ROM
    drives."""
    return _distinct((*disk_files_of(machine), *own_images_of(machine)))


def with_own_images(vm: VirtualMachine, machine: Machine) -> tuple[VirtualMachine, dict[str, File]]:
    """``vm``, made of the machine, with the package's images in its drives, and these by the paths that they have
    then: beside the machine, called as vSphere calls them."""
    folder, images = vm.vmx_path.rpartition("/")[0], own_images_of(machine)
    paths = {file.id: f"{folder}/_deviceImage-{number}.iso" for number, file in enumerate(images)}
    cdroms = dict(vm.cdroms)
    for drive in machine.cdroms:
        path = None if drive.file is None else paths.get(drive.file.id)
        key = ids.VcenterVmHardwareCdromId(_key(drive.place))
        if path is not None:
            cdroms[key] = msgspec.structs.replace(
                cdroms[key],
                backing=Cdrom.BackingInfo(type=Cdrom.BackingType.ISO_FILE, iso_file=path),
                start_connected=drive.start_connected,
            )
    return msgspec.structs.replace(vm, cdroms=cdroms), {paths[file.id]: file for file in images}


def image_contents(images: Mapping[str, File], there: Iterable[LibraryFile]) -> dict[str, DiskContent]:
    """What is in the images, by their paths."""
    files, made = _by_name(there), {}
    for path, file in images.items():
        [found] = _found(file, files)
        made[path] = DiskContent(parts=(found.part,), capacity=found.size_bytes)
    return made


def expected_contents(images: Mapping[str, File]) -> dict[str, DiskContent]:
    """The same before they have come: as large as the package says, nothing where it does not say."""
    return {path: DiskContent(parts=(), capacity=file.size or 0) for path, file in images.items()}


def _image(file: File | None, files: Mapping[str, LibraryFile], folder: str) -> str | None:
    if file is None or file.compression or file.chunk_size is not None:
        return None
    [image] = _found(file, files)
    return f"{folder}/{image.stored_name}"


def _key(place: Drive) -> str:
    return str(key_of(BusPlace(Bus(place.kind), place.bus, place.unit)))


def _by_name(files: Iterable[LibraryFile]) -> dict[str, LibraryFile]:
    return {file.name: file for file in files}


def _found(file: File, files: Mapping[str, LibraryFile]) -> tuple[LibraryFile, ...]:
    """The file, or its pieces in order; nothing where it is not there."""
    whole = files.get(file.href) or files.get(unquote(file.href))
    if whole is not None:
        return (whole,)
    if file.chunk_size is None:
        return ()
    pieces = tuple(_pieces(file, files))
    return pieces if file.size is None or len(pieces) >= len(stored_names(file)) else ()


def _pieces(file: File, files: Mapping[str, LibraryFile]) -> Iterator[LibraryFile]:
    for number in count():
        piece = files.get(f"{file.href}.{number:09d}")
        if piece is None:
            return
        yield piece
