"""Plain values -> YAML text in blocks, several times as fast as PyYAML writes it: an inventory has millions of scalars.

What is not simple (texts that are not printable, very long keys) PyYAML writes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import yaml

_SafeDumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_./@+()-]*(?: [A-Za-z0-9_./@+()-]+)*\Z")
_WORDS = frozenset({"null", "true", "false", "yes", "no", "on", "off", "y", "n"})
"""What YAML takes for something else than text, in whichever case."""
_LONGEST_KEY = 900
"""YAML's keys of one line have 1,024 characters at most, quotes counted."""


def emit(value: object) -> str:
    """YAML text of lists, dictionaries (in their order), text, numbers and booleans."""
    if isinstance(value, dict | list | tuple) and value:
        return "".join(_lines(value, "", ""))
    return f"{_scalar(value)}\n"


def _lines(value: Any, first: str, indent: str) -> Iterator[str]:
    """The lines of a filled list or dictionary: ``first`` stands before the first of them, ``indent`` before others."""
    if isinstance(value, list | tuple):
        deeper = f"{indent}  "
        for item in value:
            if isinstance(item, dict | list | tuple) and item:
                yield from _lines(item, f"{first}- ", deeper)
            else:
                yield f"{first}- {_scalar(item)}\n"
            first = indent
        return
    for key, item in value.items():
        shown = _scalar(key)
        # A key that is too long for one line is marked as one.
        head = f"{first}{shown}:" if len(shown) <= _LONGEST_KEY else f"{first}? {shown}\n{indent}:"
        if isinstance(item, dict | list | tuple) and item:
            yield f"{head}\n"
            # Items of a list stand below their key, as PyYAML has them.
            deeper = indent if isinstance(item, list | tuple) and len(shown) <= _LONGEST_KEY else f"{indent}  "
            yield from _lines(item, deeper, deeper)
        else:
            yield f"{head} {_scalar(item)}\n"
        first = indent


def _scalar(value: object) -> str:
    if isinstance(value, str):
        return _text(value)
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, dict | list | tuple):
        return "{}" if isinstance(value, dict) else "[]"
    return _by_yaml(value)


@lru_cache(65_536)
def _text(text: str) -> str:
    if _PLAIN.match(text) and text.lower() not in _WORDS:
        return text
    if text.isprintable():
        return "'" + text.replace("'", "''") + "'"
    return _by_yaml(text)


def _by_yaml(value: object) -> str:
    """One line, whatever it is."""
    style = '"' if isinstance(value, str) else None
    text: str = yaml.dump(value, Dumper=_SafeDumper, allow_unicode=True, width=1 << 30, default_style=style)
    return text.removesuffix("\n").removesuffix("\n...")
