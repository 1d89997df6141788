"""Managed objects saved as XML, a file each, as ``govc object.save`` writes them and ``vcsim -load`` reads them.

Each file is an ``ObjectContent`` of vSphere's managed-object API: a reference, and properties by name.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from lxml import etree

from resphere.importing.report import ImportFault, Place, Report

MOST_FILES = 500_000
MOST_BYTES = 64 << 20
"""Of one file: a host with all its properties has some 200 KB."""
_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
_ESCAPES = {"%2f": "/", "%2F": "/", "%5c": "\\", "%5C": "\\", "%25": "%"}


class Node:
    """An element: its parts by path, ``config/hardware/device``."""

    __slots__ = ("element",)

    def __init__(self, element: etree._Element) -> None:
        self.element = element

    def all(self, path: str) -> Iterator[Node]:
        """The elements at a path."""
        found = [self.element]
        for name in path.split("/"):
            found = [child for each in found for child in each if _name(child) == name]
        return map(Node, found)

    def first(self, path: str) -> Node | None:
        """The first of them."""
        return next(self.all(path), None)

    def text(self, path: str = "") -> str:
        """The text of the element, or of one at a path; empty where there is none."""
        found = self.first(path) if path else self
        return (found.element.text or "") if found is not None else ""

    def truth(self, path: str) -> bool | None:
        """A truth value."""
        text = self.text(path)
        return text in ("true", "1") if text else None

    def number(self, path: str) -> int | None:
        """A whole number; none where it is negative, which means that it is not set."""
        text = self.text(path).strip()
        return int(text) if text.isdecimal() and len(text) < 19 else None

    @property
    def type(self) -> str:
        """The type that the element says it is of: ``VirtualDisk``."""
        return (self.element.get(_TYPE) or "").rpartition(":")[2]


def _name(element: etree._Element) -> str:
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


class SavedObject:
    """A managed object: its type and id, its properties, and the file that it is from."""

    __slots__ = ("id", "place", "properties", "type")

    def __init__(self, type: str, id: str, properties: dict[str, Node], file: str) -> None:
        self.type = type
        self.id = id
        self.properties = properties
        self.place = Place(file)

    def at(self, path: str) -> Node | None:
        """A property, or a part of it: ``summary/hardware/vendor``."""
        name, _, rest = path.partition("/")
        found = self.properties.get(name)
        return found.first(rest) if found is not None and rest else found

    def text(self, path: str) -> str:
        """The text there."""
        found = self.at(path)
        return found.text() if found is not None else ""

    def number(self, path: str) -> int | None:
        """A whole number there."""
        name, _, rest = path.partition("/")
        found = self.properties.get(name)
        return found.number(rest) if found is not None else None

    def truth(self, path: str) -> bool | None:
        """A truth value there."""
        text = self.text(path)
        return text in ("true", "1") if text else None

    def all(self, path: str) -> list[Node]:
        """The elements there."""
        name, _, rest = path.partition("/")
        found = self.properties.get(name)
        return list(found.all(rest)) if found is not None else []

    @property
    def name(self) -> str:
        """The name, in which the API escapes slashes."""
        return unescaped(self.text("name"))


def unescaped(name: str) -> str:
    """A name without the API's escapes."""
    for escape, character in _ESCAPES.items():
        name = name.replace(escape, character)
    return name


def read_objects(folder: Path, report: Report) -> dict[str, SavedObject]:
    """The objects of a folder, by id. Files that cannot be read are told as faults.

    :raises ImportFault: there are none, or too many.
    """
    files = sorted(folder.glob("*.xml"))
    if not files or len(files) > MOST_FILES:
        raise ImportFault([f"{folder}: has {len(files)} files of objects; from 1 to {MOST_FILES} are read"])
    # Without entities, document types and network: the folder may be anybody's.
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    found: dict[str, SavedObject] = {}
    for file in files:
        try:
            if file.stat().st_size > MOST_BYTES:
                report.fault(Place(file.name), f"has more than {MOST_BYTES >> 20} MiB")
                continue
            read = _read(etree.fromstring(file.read_bytes(), parser), file.name)
        except (etree.XMLSyntaxError, ValueError) as error:
            report.fault(Place(file.name), f"is no XML: {error}")
            continue
        if read is None:
            report.left("files that are no managed objects", Place(file.name))
        elif read.id in found:
            report.fault(read.place, f"{read.id} is in {found[read.id].place} already")
        else:
            found[read.id] = read
    return found


def _read(root: etree._Element, file: str) -> SavedObject | None:
    node = Node(root)
    reference = node.first("obj")
    if _name(root) != "ObjectContent" or reference is None:
        return None
    properties = {each.text("name"): value for each in node.all("propSet") if (value := each.first("val")) is not None}
    return SavedObject(reference.element.get("type") or "", reference.text(), properties, file)
