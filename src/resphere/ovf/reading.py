"""A descriptor read: what stands in it, with the mistakes in it by line and column."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from resphere.contract.generated.vcenter_ovf import ParseIssue
from resphere.ovf.content_reading import read_content, read_unknown
from resphere.ovf.documents import Element, parse
from resphere.ovf.issues import BadPackage, Category, Findings, issue
from resphere.ovf.model import (
    Content,
    DeploymentOption,
    Descriptor,
    DiskDescription,
    File,
    Network,
    StorageGroup,
    UnknownSection,
    VirtualSystem,
    VirtualSystemCollection,
    machines_of,
)
from resphere.ovf.names import HOST_RESOURCE, VERSIONS, ResourceType
from resphere.ovf.parts import Context, flag, number, required
from resphere.ovf.units import multiplier

COMPRESSIONS = ("", "identity", "gzip")
MOST_PIECES = 10_000
"""Of a file, that are told of."""
LONGEST_ADDRESS = 4096


class Read(NamedTuple):
    """A descriptor, and what is ignored of it."""

    descriptor: Descriptor
    warnings: tuple[ParseIssue, ...]


def read(
    content: bytes, file_name: str = "descriptor.ovf", locale: str | None = None, *, elsewhere: bool = False
) -> Read:
    """What a descriptor says, its texts in ``locale`` (``de``, ``en-US``) where the descriptor has them in it.

    ``elsewhere``: files may lie in other places than beside it, of which the descriptor has addresses.

    :raises BadPackage: it is no descriptor, or what stands in it contradicts itself.
    """
    root, version = _root(content, file_name)
    context = Context(Findings(file_name), _strings(root, locale), elsewhere)
    descriptor = _envelope(context, root, version)
    if descriptor is not None:
        _check_references(context.found, descriptor)
    context.found.require_none()
    assert descriptor is not None, "without content there is an error"
    return Read(descriptor, tuple(context.found.warnings))


def read_files(content: bytes, file_name: str) -> tuple[File, ...]:
    """The files that a descriptor names, whatever else stands in it.

    :raises BadPackage: it is no descriptor, or a file in it is none.
    """
    root, _ = _root(content, file_name)
    context = Context(Findings(file_name), {})
    files = [_file(context, each) for section in root.all("References") for each in section.all("File")]
    _distinct(context.found, "name of a file", (each.href for each in files))
    context.found.require_none()
    return tuple(files)


def stored_names(file: File) -> tuple[str, ...]:
    """What a file is called beside the descriptor: several names where it lies in pieces, the first one of them where
    nobody knows how many these are."""
    if file.chunk_size is None:
        return (file.href,)
    pieces = -(-(file.size or 1) // file.chunk_size)
    return tuple([f"{file.href}.{number:09}" for number in range(min(pieces, MOST_PIECES))])


def _root(content: bytes, file_name: str) -> tuple[Element, int]:
    """The envelope, and of which version of OVF it is.

    :raises BadPackage: it is none.
    """
    root = parse(content, file_name)
    version = VERSIONS.get(root.namespace)
    if root.local != "Envelope" or version is None:
        raise BadPackage(
            [
                issue(
                    Category.ELEMENT_ILLEGAL,
                    file_name,
                    root.place,
                    "no_envelope",
                    "The root element must be Envelope of OVF 1 or 2, not {0} of {1}.",
                    root.local,
                    root.namespace or "no namespace",
                )
            ]
        )
    return root, version


def _strings(root: Element, locale: str | None) -> dict[str, str]:
    """The texts by id, in ``locale`` or a language that it is of; without one in the first that there is."""
    bundles = list(root.all("Strings"))
    if locale is not None:
        language = locale.replace("_", "-").casefold()
        matching = [each for each in bundles if (each.get("lang") or "").casefold() == language] or [
            each
            for each in bundles
            if (each.get("lang") or "").casefold().partition("-")[0] == language.partition("-")[0]
        ]
        bundles = matching
    texts: dict[str, str] = {}
    for bundle in bundles[:1]:
        for text in bundle.all("Msg"):
            texts.setdefault(text.get("msgid") or "", text.text)
    return texts


def _envelope(context: Context, root: Element, version: int) -> Descriptor | None:
    files: list[File] = []
    disks: list[DiskDescription] = []
    networks: list[Network] = []
    groups: list[StorageGroup] = []
    options: list[DeploymentOption] = []
    unknown: list[UnknownSection] = []
    eulas: list[str] = []
    contents: list[VirtualSystem | VirtualSystemCollection] = []
    for child in root.children:
        match child.local:
            case "References":
                files += [_file(context, each) for each in child.all("File")]
            case "DiskSection":
                disks += [_disk(context, each) for each in child.all("Disk")]
            case "NetworkSection":
                networks += [_network(context, each) for each in child.all("Network")]
            case "StorageGroupSection":
                groups.append(StorageGroup(id=child.get("id") or "", description=context.text_of(child, "Description")))
            case "DeploymentOptionSection":
                options += [_option(context, each) for each in child.all("Configuration")]
            case "EulaSection":
                eulas.append(context.text_of(child, "License"))
            case "VirtualSystem" | "VirtualSystemCollection":
                contents.append(read_content(context, child))
            case "Strings":
                pass
            case _:
                unknown.append(read_unknown(context, child))
    for one in contents[1:]:
        context.found.error(
            Category.ELEMENT_ILLEGAL,
            root.place,
            "contents",
            "There is more than one machine or vApp, such as {0}.",
            one.id,
        )
    if not contents:
        context.found.error(
            Category.ELEMENT_REQUIRED, root.place, "no_content", "There is neither a VirtualSystem nor a collection."
        )
        return None
    return Descriptor(
        version=version,
        file_name=context.found.file,
        files=tuple(files),
        disks=tuple(disks),
        networks=tuple(networks),
        storage_groups=tuple(groups),
        options=tuple(options),
        unknown_sections=tuple(unknown),
        eulas=tuple(eulas),
        content=contents[0],
    )


def _file(context: Context, element: Element) -> File:
    href = required(context, element, "href")
    if href and not (is_address(href) if context.elsewhere else is_file_name(href)):
        context.found.error(
            Category.VALUE_ILLEGAL, element.place, "href", "{0} is no name of a file beside the descriptor.", href
        )
    compression = element.get("compression") or ""
    if compression not in COMPRESSIONS:
        context.found.error(
            Category.VALUE_ILLEGAL,
            element.place,
            "compression",
            "The compression {0} is unknown; gzip is known.",
            compression,
        )
    return File(
        id=required(context, element, "id"),
        href=href,
        size=number(context, element, "size"),
        compression="" if compression == "identity" else compression,
        chunk_size=number(context, element, "chunkSize") or None,
        place=element.place,
    )


def is_file_name(href: str) -> bool:
    """Whether a reference means a file of the package: no address, no folder, nothing that hides as one."""
    return (
        bool(href)
        and href not in (".", "..")
        and len(href) <= 255
        and not any(each in href for each in "/\\:")
        and href.isprintable()
    )


def is_address(href: str) -> bool:
    """Whether a reference may be an address, or a part of one."""
    return len(href) <= LONGEST_ADDRESS and href.isprintable()


def _disk(context: Context, element: Element) -> DiskDescription:
    capacity = required(context, element, "capacity").strip()
    is_property = capacity.startswith("${") and capacity.endswith("}") and len(capacity) > 3
    if capacity and not is_property and not (capacity.isascii() and capacity.isdigit() and len(capacity) < 20):
        context.found.error(
            Category.VALUE_ILLEGAL,
            element.place,
            "capacity",
            "The capacity must be a number or a property in ${{}}, not {0}.",
            capacity,
        )
    units = element.get("capacityAllocationUnits") or "byte"
    unit_bytes = multiplier(units)
    if unit_bytes is None:
        context.found.error(Category.VALUE_ILLEGAL, element.place, "units", "The unit {0} is unknown.", units)
    return DiskDescription(
        id=required(context, element, "diskId"),
        capacity=capacity,
        unit_bytes=unit_bytes or 1,
        file_id=element.get("fileRef") or None,
        format=element.get("format") or "",
        populated_size=number(context, element, "populatedSize"),
        parent_id=element.get("parentRef") or None,
        place=element.place,
    )


def _network(context: Context, element: Element) -> Network:
    return Network(name=required(context, element, "name"), description=context.text_of(element, "Description"))


def _option(context: Context, element: Element) -> DeploymentOption:
    return DeploymentOption(
        id=required(context, element, "id"),
        label=context.text_of(element, "Label"),
        description=context.text_of(element, "Description"),
        default=flag(element, "default", False),
    )


def _check_references(found: Findings, descriptor: Descriptor) -> None:
    """See that what one part calls another by is there, and is one."""
    files, disks = {each.id for each in descriptor.files}, {each.id for each in descriptor.disks}
    _distinct(found, "file", (each.id for each in descriptor.files))
    _distinct(found, "name of a file", (each.href for each in descriptor.files))
    _distinct(found, "disk", (each.id for each in descriptor.disks))
    _distinct(found, "network", (each.name for each in descriptor.networks))
    _distinct(found, "configuration", (each.id for each in descriptor.options))
    _distinct(found, "machine", _content_ids(descriptor.content))
    for disk in descriptor.disks:
        if disk.file_id is not None and disk.file_id not in files:
            found.error(
                Category.VALUE_ILLEGAL, disk.place, "no_file", "There is no file {0} in References.", disk.file_id
            )
        if disk.parent_id is not None:
            if disk.parent_id not in disks:
                found.error(Category.VALUE_ILLEGAL, disk.place, "no_disk", "There is no disk {0}.", disk.parent_id)
            found.warning(
                Category.ATTRIBUTE_ILLEGAL,
                disk.place,
                "parent_disk",
                "That the disk goes on from the disk {0} is ignored.",
                disk.parent_id,
            )
    networks = {each.name for each in descriptor.networks}
    for system in machines_of(descriptor.content):
        for item in system.hardware.items if system.hardware else ():
            for reference in item.host_resources:
                match = HOST_RESOURCE.fullmatch(reference)
                if match is not None and match[2] not in (disks if match[1] == "disk" else files):
                    found.error(
                        Category.VALUE_ILLEGAL,
                        item.place,
                        "no_reference",
                        "There is no {0} {1} in the package.",
                        match[1],
                        match[2],
                    )
            for connection in item.connections:
                if item.resource_type == ResourceType.ETHERNET and connection not in networks:
                    found.error(
                        Category.VALUE_ILLEGAL,
                        item.place,
                        "no_network",
                        "There is no network {0} in the NetworkSection.",
                        connection,
                    )


def _content_ids(content: Content) -> Iterable[str]:
    yield content.id
    if isinstance(content, VirtualSystemCollection):
        for each in content.content:
            yield from _content_ids(each)


def _distinct(found: Findings, what: str, ids: Iterable[str]) -> None:
    seen: set[str] = set()
    for each in ids:
        if each in seen:
            found.error(Category.VALUE_ILLEGAL, (0, 0), "repeated", "The {0} {1} is there more than once.", what, each)
        seen.add(each)
