"""YAML text -> plain values, wherever YAML is read: by the parser's events, no deeper than anybody writes it.

PyYAML's own composer follows a text as deep as that goes, and where it is of C, until the process dies.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, TypeAlias

import msgspec
import yaml

Value: TypeAlias = "str | int | float | bool | list[Value] | dict[str, Value] | None"

# C's are ten times as fast; a PyYAML built without libyaml has only Python's.
_Loader: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)

_ITEM_DEPTH = 2
_DEEPEST = 60
_INTEGER = re.compile(r"[+-]?[0-9]{1,18}\Z")
_NUMBER = re.compile(r"[+-]?(?:[0-9]{1,300}(?:\.[0-9]{0,300})?|\.[0-9]{1,300})(?:[eE][+-]?[0-9]{1,3})?\Z")
_WORDS = {"": None, "~": None, "null": None, "true": True, "false": False}


class YamlFault(ValueError):
    """A text that is no YAML, or too deep. ``line`` is counted from 1, ``None`` where it is not known."""

    def __init__(self, why: str, line: int | None) -> None:
        super().__init__(why)
        self.line = line


class Document(msgspec.Struct, frozen=True):
    """A text's value, and the line (from 1) where each item of each list at the top begins, by section and place."""

    value: Value
    lines: dict[tuple[str, int], int]


def read(text: str, *, typed: bool = False) -> Document:
    """The one document in ``text``. An alias is the value itself, not a copy.

    Scalars are text, whether quoted or not; where ``typed``, those without quotes are numbers, truth values or nothing
    if they look so.

    :raises YamlFault: it is none.
    """
    try:
        return _Reader(typed=typed).document(yaml.parse(text, Loader=_Loader))
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark is not None else None
        raise YamlFault(f"this is not YAML: {error.problem or error.context}", line) from None
    except yaml.YAMLError as error:
        raise YamlFault(f"this is not YAML: {error}".replace("\n", " "), None) from None


def read_file(data: bytes) -> Value:
    """The value of a settings file, with numbers and truth values.

    :raises YamlFault: it is none; the message names the line.
    """
    try:
        return read(data.decode("utf-8-sig"), typed=True).value
    except UnicodeDecodeError as error:
        raise YamlFault(f"this is not UTF-8: byte {error.start}", None) from None
    except YamlFault as fault:
        where = f"line {fault.line}: " if fault.line is not None else ""
        raise YamlFault(f"{where}{fault}", fault.line) from None


def _meaning(text: str) -> str | int | float | bool | None:
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.match(text):
        return int(text)
    return float(text) if _NUMBER.match(text) else text


class _Reader:
    """Builds values from the parser's events: PyYAML's own composer keeps a node for each and every scalar, which
    takes gigabytes for a large inventory."""

    def __init__(self, *, typed: bool) -> None:
        self._typed = typed
        self._anchors: dict[str, Value] = {}
        self._texts: dict[str, str] = {}
        self._lines: dict[tuple[str, int], int] = {}
        self._section = ""

    def document(self, events: Iterator[yaml.Event]) -> Document:
        """The value of the only document in the events."""
        value: Value = ""
        documents = 0
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise self._error(event, "a second document begins; one is allowed")
            elif isinstance(event, yaml.NodeEvent):
                value = self._value(event, events, 0)
        return Document(value, self._lines)

    def _value(self, event: yaml.Event, events: Iterator[yaml.Event], depth: int) -> Value:
        if depth > _DEEPEST:
            raise self._error(event, f"values lie more than {_DEEPEST} deep in one another")
        if isinstance(event, yaml.ScalarEvent):
            value: Value = self._scalar(event)
        elif isinstance(event, yaml.AliasEvent):
            if event.anchor not in self._anchors:
                raise self._error(event, f"*{event.anchor} stands for nothing: no &{event.anchor} before it")
            return self._anchors[event.anchor]
        elif isinstance(event, yaml.SequenceStartEvent):
            value = self._list(events, depth)
        else:
            value = self._mapping(events, depth)
        anchor: str | None = getattr(event, "anchor", None)
        if anchor is not None:
            self._anchors[anchor] = value
        return value

    def _scalar(self, event: yaml.ScalarEvent) -> Value:
        text: str = event.value
        if self._typed and event.implicit[0]:
            return _meaning(text)
        # Few texts are different ones: equal ones are kept once.
        return self._texts.setdefault(text, text)

    def _list(self, events: Iterator[yaml.Event], depth: int) -> list[Value]:
        values: list[Value] = []
        for event in events:
            if isinstance(event, yaml.SequenceEndEvent):
                break
            if depth == _ITEM_DEPTH - 1:
                self._lines[self._section, len(values)] = _line(event)
            values.append(self._value(event, events, depth + 1))
        return values

    def _mapping(self, events: Iterator[yaml.Event], depth: int) -> dict[str, Value]:
        values: dict[str, Value] = {}
        for event in events:
            if isinstance(event, yaml.MappingEndEvent):
                break
            if not isinstance(event, yaml.ScalarEvent):
                raise self._error(event, "a key must be text")
            key = self._texts.setdefault(event.value, event.value)
            if key in values:
                raise self._error(event, f"the key {key} stands there twice")
            if depth == 0:
                self._section = key
            values[key] = self._value(next(events), events, depth + 1)
        return values

    def _error(self, event: yaml.Event, message: str) -> YamlFault:
        return YamlFault(message, _line(event))


def _line(event: yaml.Event) -> int:
    mark = event.start_mark
    return mark.line + 1 if mark is not None else 0
