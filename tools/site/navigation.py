"""The navigation of the site, as ``docs/README.md`` has it: a heading is a part, each item below it a page."""

from __future__ import annotations

import posixpath
import re

import msgspec

INDEX = "docs/README.md"
HEADING = re.compile(r"## (.+)")
ITEM = re.compile(r"- \[([^\]]+)\]\(([^)#]+\.md)\)")


class Part(msgspec.Struct, frozen=True):
    """A part of the documentation: its pages with what the navigation calls them, by their path from the root."""

    title: str
    pages: tuple[tuple[str, str], ...]


def parts(index: str) -> tuple[Part, ...]:
    """The parts that the text of :data:`INDEX` lists, in its order.

    :raises ValueError: a page is listed before the first heading, or twice.
    """
    found: list[tuple[str, list[tuple[str, str]]]] = []
    known: set[str] = set()
    for line in index.splitlines():
        if (heading := HEADING.fullmatch(line)) is not None:
            found.append((heading[1], []))
        elif (item := ITEM.match(line)) is not None:
            page = posixpath.normpath(posixpath.join(posixpath.dirname(INDEX), item[2]))
            if not found or page in known:
                raise ValueError(f"{INDEX} lists {page} " + ("twice" if page in known else "before any heading"))
            known.add(page)
            found[-1][1].append((item[1], page))
    return tuple(Part(title, tuple(pages)) for title, pages in found)
