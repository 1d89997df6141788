"""YAML text -> plain values, and back.

Every scalar is read as text, whether quoted or not: what it means follows from the field's type, never from YAML's
guesses, which take `on` for true, `8.0` for a number and `12:30:45` for 45045 seconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

import msgspec
import yaml

from resphere.providers.simulator.inventory_faults import InventoryFileError

Value: TypeAlias = "str | list[Value] | dict[str, Value]"

# C's are ten times as fast; a PyYAML built without libyaml has only Python's.
_Loader: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
_SafeDumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)

_ITEM_DEPTH = 2
_DEEPEST = 60


class _Dumper(_SafeDumper):  # type: ignore[misc]  # the base is chosen at run time
    def ignore_aliases(self, data: object) -> bool:
        return True


class Document(msgspec.Struct, frozen=True):
    """A file's value, and the line (from 1) where each item of each list at the top begins, by section and place."""

    value: Value
    lines: dict[tuple[str, int], int]


def dump(value: object) -> str:
    """YAML text of lists, dictionaries (in their order), text, numbers and booleans."""
    text: str = yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)
    return text


def parse(text: str, source: str) -> Document:
    """The one document in `text`. Raises InventoryFileError, naming `source`, where it is not YAML."""
    try:
        return _Reader(source).document(yaml.parse(text, Loader=_Loader))
    except yaml.MarkedYAMLError as error:
        line = f":{error.problem_mark.line + 1}" if error.problem_mark is not None else ""
        raise InventoryFileError([f"{source}{line}: this is not YAML: {error.problem or error.context}"]) from None
    except yaml.YAMLError as error:
        raise InventoryFileError([f"{source}: this is not YAML: {error}".replace("\n", " ")]) from None


class _Reader:
    """Builds values from the parser's events: PyYAML's own composer keeps a node for each and every scalar, which
    takes gigabytes for a large inventory."""

    def __init__(self, source: str) -> None:
        self._source = source
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
            text: str = event.value
            # Few texts are different ones: equal ones are kept once.
            value: Value = self._texts.setdefault(text, text)
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

    def _error(self, event: yaml.Event, message: str) -> InventoryFileError:
        return InventoryFileError([f"{self._source}:{_line(event)}: {message}"])


def _line(event: yaml.Event) -> int:
    mark = event.start_mark
    return mark.line + 1 if mark is not None else 0
