"""Attributes and texts of a descriptor's elements, with what is said where they are none."""

from __future__ import annotations

import msgspec

from resphere.ovf.documents import Element
from resphere.ovf.issues import Category, Findings

LARGEST = (1 << 63) - 1


class Context(msgspec.Struct, frozen=True):
    """What is known while a descriptor is read: what was found, its texts by their ids; ``elsewhere``: files may lie in
    other places than beside it."""

    found: Findings
    texts: dict[str, str]
    elsewhere: bool = False

    def text_of(self, element: Element, local: str) -> str:
        """The text of a child, which may be in another place under an id; empty where there is no such child."""
        child = element.first(local)
        return "" if child is None else self.text(child)

    def text(self, element: Element) -> str:
        """The text of an element, without the layout around it."""
        return self.texts.get(element.get("msgid") or "", element.text).strip()


def required(context: Context, element: Element, name: str) -> str:
    """An attribute that must be there; empty, with an error, where it is not."""
    value = element.get(name)
    if not value:
        context.found.error(
            Category.ATTRIBUTE_REQUIRED, element.place, "attribute", "{0} needs the attribute {1}.", element.local, name
        )
        return ""
    return value


def number(context: Context, element: Element, name: str) -> int | None:
    """An attribute that is a number from 0; ``None`` where it is not there, and where it is none, with an error."""
    value = element.get(name)
    return None if value is None else as_number(context, element, name, value)


def as_number(context: Context, element: Element, name: str, text: str) -> int | None:
    """A text that must be a number from 0; ``None``, with an error, where it is none."""
    text = text.strip()
    if text.isascii() and text.isdigit() and len(text) < 20 and int(text) <= LARGEST:
        return int(text)
    context.found.error(
        Category.VALUE_ILLEGAL,
        element.place,
        "number",
        "{0} must be a number from 0 to {1}, not {2}.",
        name,
        LARGEST,
        text,
    )
    return None


def flag(element: Element, name: str, default: bool) -> bool:
    """An attribute that is ``true`` or ``false``."""
    return as_flag(element.get(name), default)


def as_flag(text: str | None, default: bool) -> bool:
    """``true`` and ``1``, ``false`` and ``0``, as XML Schema has them; anything else is as if it were not there."""
    word = (text or "").strip().casefold()
    return True if word in ("true", "1") else False if word in ("false", "0") else default


def words(text: str | None) -> tuple[str, ...]:
    """The words of a list, which some exporters separate by commas and others by spaces."""
    return tuple((text or "").replace(",", " ").split())
