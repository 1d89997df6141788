"""Values of vCenter's older interfaces as XML: a tree of objects with a type, lists and texts, and back.

An object is a dictionary with its type under :data:`TYPE`. On the wire it is an element per field and ``<_type>``; a
list is ``<_length>``, ``<_type>string[]</_type>`` and an ``<e id="0">`` per item.
"""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import defusedxml
import defusedxml.ElementTree

TYPE = "_type"
ROOT = "ConfigRoot"
DEEPEST = 32


def write_xml(value: dict[str, Any]) -> str:
    """The document of an object."""
    root = ElementTree.Element(ROOT)
    _write(root, value)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode") + "\n"


def _write(element: ElementTree.Element, value: Any) -> None:
    if isinstance(value, dict):
        ElementTree.SubElement(element, TYPE).text = value[TYPE]
        for name, inner in value.items():
            if name != TYPE and inner is not None:
                _write(ElementTree.SubElement(element, name), inner)
    elif isinstance(value, list):
        ElementTree.SubElement(element, "_length").text = str(len(value))
        item_type = value[0][TYPE] if value and isinstance(value[0], dict) else "string"
        ElementTree.SubElement(element, TYPE).text = f"{item_type}[]"
        for position, inner in enumerate(value):
            _write(ElementTree.SubElement(element, "e", id=str(position)), inner)
    elif isinstance(value, bool):
        element.text = "true" if value else "false"
    else:
        element.text = str(value)


def read_xml(text: str) -> dict[str, Any]:
    """The object of a document.

    :raises ValueError: it is no XML, has entities or a document type, or is no object.
    """
    try:
        root = defusedxml.ElementTree.fromstring(text, forbid_dtd=True)
    except defusedxml.DefusedXmlException:
        raise ValueError("the XML must not have a document type or entities") from None
    except (ElementTree.ParseError, ValueError, RecursionError) as error:
        raise ValueError(f"is no XML: {error}") from None
    value = _read(root, 0)
    if root.tag != ROOT or not isinstance(value, dict):
        raise ValueError(f"the document is not a {ROOT} with an object")
    return value


def _read(element: ElementTree.Element, depth: int) -> Any:
    if depth > DEEPEST:
        raise ValueError("the XML is too deep")
    kind = element.findtext(TYPE)
    if kind is None:
        if len(element):
            raise ValueError(f"<{element.tag}> has no <{TYPE}>")
        return element.text or ""
    if kind.endswith("[]"):
        return [_read(inner, depth + 1) for inner in element.findall("e")]
    return {TYPE: kind} | {inner.tag: _read(inner, depth + 1) for inner in element if inner.tag != TYPE}
