"""XML of packages as a tree whose elements know where they stand; nothing of XML but elements, attributes and text.

``defusedxml`` reads it and refuses document types and with them all entities. lxml, which reads the XML of logins, was
not taken: it tells no columns, which vCenter's issues have, and counts elements only when all are in memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from resphere.ovf.issues import BadPackage, Category, issue

MOST_DESCRIPTOR_BYTES = 4 * 1024 * 1024
"""Of a descriptor. Those of large appliances, with their licences in several languages, have some 500 KB."""
MOST_ELEMENTS = 20_000
MOST_ATTRIBUTES = 100_000
DEEPEST = 32
PIECE_BYTES = 64 * 1024


class Element:
    """An element: ``tag`` is ``{namespace}name``, ``text`` all the text directly in it; ``place`` is line and column,
    both from 1."""

    __slots__ = ("attributes", "children", "place", "tag", "text")

    def __init__(self, tag: str, attributes: dict[str, str], place: tuple[int, int]) -> None:
        self.tag = tag
        self.attributes = attributes
        self.place = place
        self.children: list[Element] = []
        self.text = ""

    @property
    def local(self) -> str:
        """The name without its namespace."""
        return self.tag.rpartition("}")[2]

    @property
    def namespace(self) -> str:
        """The namespace, empty where there is none."""
        return self.tag[1:].partition("}")[0] if self.tag.startswith("{") else ""

    def all(self, local: str) -> Iterator[Element]:
        """The children of that name, in whichever namespace: exporters do not agree on those of settings."""
        return (child for child in self.children if child.local == local)

    def first(self, local: str) -> Element | None:
        """The first child of that name."""
        return next(self.all(local), None)

    def get(self, local: str) -> str | None:
        """The attribute of that name, with a namespace or without: VirtualBox and others leave the prefix out."""
        for name, value in self.attributes.items():
            if name.rpartition("}")[2] == local:
                return value
        return None


class _TooMuch(Exception):
    """More, or deeper, than a descriptor may have."""


class _Builder:
    """Takes what the parser reads."""

    def __init__(self) -> None:
        self.parser: Any = None
        self.root: Element | None = None
        self.open: list[Element] = []
        self.texts: list[list[str]] = []
        self.elements = 0
        self.attributes = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self.elements += 1
        self.attributes += len(attributes)
        if self.elements > MOST_ELEMENTS:
            raise _TooMuch(f"it has more than {MOST_ELEMENTS} elements")
        if self.attributes > MOST_ATTRIBUTES:
            raise _TooMuch(f"it has more than {MOST_ATTRIBUTES} attributes")
        if len(self.open) >= DEEPEST:
            raise _TooMuch(f"elements stand in each other more than {DEEPEST} deep")
        element = Element(tag, dict(attributes), self.place())
        if self.open:
            self.open[-1].children.append(element)
        else:
            self.root = element
        self.open.append(element)
        self.texts.append([])

    def end(self, tag: str) -> None:
        self.open.pop().text = "".join(self.texts.pop())

    def data(self, text: str) -> None:
        if self.texts:
            self.texts[-1].append(text)

    def close(self) -> None:
        pass

    def place(self) -> tuple[int, int]:
        expat = self.parser.parser
        return expat.CurrentLineNumber, expat.CurrentColumnNumber + 1


def parse(content: bytes, file: str) -> Element:
    """The root element of a document. At the limits it takes some tenths of a second: in a thread, where
    others wait.

    :raises BadPackage: it is no XML, has a document type, or is larger, deeper or of more elements than a descriptor
        may be.
    """
    if len(content) > MOST_DESCRIPTOR_BYTES:
        raise _refused(file, (0, 0), f"it is larger than {MOST_DESCRIPTOR_BYTES} bytes")
    builder = _Builder()
    parser = DefusedXMLParser(target=builder, forbid_dtd=True)
    builder.parser = parser
    try:
        for start in range(0, len(content), PIECE_BYTES):
            parser.feed(content[start : start + PIECE_BYTES])
        parser.close()
    except ParseError as error:
        line, column = error.position
        raise _refused(file, (line, column + 1), f"it is not well-formed: {str(error).partition(':')[0]}") from None
    except DefusedXmlException:
        raise _refused(file, builder.place(), "it has a document type or entities") from None
    except _TooMuch as error:
        raise _refused(file, builder.place(), str(error)) from None
    except (LookupError, ValueError):
        # An encoding that there is not, or one that is not of text.
        raise _refused(file, (1, 1), "its encoding is unknown") from None
    assert builder.root is not None, "a well-formed document has a root"
    return builder.root


def _refused(file: str, place: tuple[int, int], reason: str) -> BadPackage:
    return BadPackage(
        [issue(Category.PARSE_ERROR, file, place, "unreadable", "The descriptor cannot be read: {0}.", reason)]
    )
