"""XML from strangers, read without any of what XML can do besides elements, attributes and text."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from lxml import etree

MOST_TOKEN_BYTES = 128 * 1024
"""Of a token, and of a message that holds one. vCenter's own have some 5 KB, and 60 bytes more for each group."""

SAML = "urn:oasis:names:tc:SAML:2.0:assertion"
DSIG = "http://www.w3.org/2000/09/xmldsig#"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
XS = "http://www.w3.org/2001/XMLSchema"

DECLARATION = re.compile(
    r"""\s*<\?xml\s+version=["']1\.0["'](\s+encoding=["']utf-8["'])?(\s+standalone=["'](yes|no)["'])?\s*\?>""", re.I
)
# Comments, document types, entities, CDATA and processing instructions: what is read may not depend on who reads it.
REFUSED_MARKUP = re.compile(r"<[!?]")


class BadDocument(ValueError):
    """What was sent is no document that is read here; says why, for the log."""


def parse(text: str, most_bytes: int = MOST_TOKEN_BYTES) -> etree._Element:
    """The root of a document, in which no two elements have the same id.

    :raises BadDocument: it is not well-formed, larger than ``most_bytes`` in UTF-8, or has comments, a document type,
        entities, CDATA sections or processing instructions.
    """
    if len(text) > most_bytes:
        raise BadDocument(f"it is larger than {most_bytes} bytes")
    declaration = DECLARATION.match(text)
    content = (text[declaration.end() :] if declaration else text).strip()
    try:
        encoded = content.encode()
    except UnicodeEncodeError:
        raise BadDocument("it is not Unicode text") from None
    if len(encoded) > most_bytes:
        raise BadDocument(f"it is larger than {most_bytes} bytes")
    refused = REFUSED_MARKUP.search(content)
    if refused is not None:
        raise BadDocument(f"it has {content[refused.start() : refused.start() + 9]!r} at {refused.start()}")
    try:
        root = etree.fromstring(encoded, _parser())
    except etree.XMLSyntaxError as error:
        raise BadDocument(f"it is not well-formed: {error}") from None
    require_distinct_ids(root)
    return root


def _parser() -> etree.XMLParser[etree._Element]:
    """A new one each time: they are not shared between threads."""
    return etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        load_dtd=False,
        dtd_validation=False,
        attribute_defaults=False,
        no_network=True,
        huge_tree=False,
        remove_blank_text=False,
    )


def require_distinct_ids(root: etree._Element) -> None:
    """Refuse a document in which a reference to an id could mean one of several elements.

    :raises BadDocument: an id, in whichever spelling of the attribute, stands there twice.
    """
    counted = Counter(ids(root))
    repeated = [identity for identity, count in counted.items() if count > 1]
    if repeated:
        raise BadDocument(f"the id {repeated[0]!r} stands there more than once")


def ids(root: etree._Element) -> Iterator[str]:
    """The values of all attributes that somebody may take for an id."""
    for element in root.iter():
        for name, value in element.attrib.items():
            if etree.QName(name).localname.casefold() in ("id", "assertionid"):
                yield str(value)


def name_of(element: etree._Element) -> str:
    """The name of an element without its namespace, for messages."""
    return etree.QName(element).localname


def text_of(element: etree._Element) -> str:
    """The text of an element that has nothing but text.

    :raises BadDocument: it has child elements.
    """
    if len(element):
        raise BadDocument(f"{name_of(element)} must hold text alone")
    return element.text or ""


def only(element: etree._Element, tag: str) -> etree._Element:
    """The one child of that tag.

    :raises BadDocument: there is none, or there are several.
    """
    found = optional(element, tag)
    if found is None:
        raise BadDocument(f"{name_of(element)} has no {tag}")
    return found


def optional(element: etree._Element, tag: str) -> etree._Element | None:
    """The one child of that tag, ``None`` where there is none.

    :raises BadDocument: there are several.
    """
    found = element.findall(tag)
    if len(found) > 1:
        raise BadDocument(f"{name_of(element)} has {len(found)} of {tag}")
    return found[0] if found else None
