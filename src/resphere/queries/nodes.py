"""What ``$filter``, ``$orderby`` and ``$select`` say, before anybody knows whether there are such fields.

``at`` is the character that a part begins with, from 1, for messages.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TypeAlias

import msgspec

Value: TypeAlias = str | int | float | bool | datetime | None


class Path(msgspec.Struct, frozen=True):
    """``cpu/count``, or ``disk/capacity`` of a variable; ``case`` is ``tolower`` or ``toupper`` around it."""

    names: tuple[str, ...]
    at: int
    case: str | None = None
    places: tuple[int, ...] = ()
    """Where each name begins."""

    def __str__(self) -> str:
        return "/".join(self.names)


class Literal(msgspec.Struct, frozen=True):
    """A value as it is written."""

    value: Value
    at: int


class Moment(msgspec.Struct, frozen=True):
    """``now()``, or so long before or after."""

    offset: timedelta
    at: int


Operand: TypeAlias = Path | Literal | Moment


class Compare(msgspec.Struct, frozen=True):
    """``name eq 'web'``; the operator is ``eq``, ``ne``, ``gt``, ``ge``, ``lt`` or ``le``."""

    operator: str
    left: Operand
    right: Operand
    at: int


class Within(msgspec.Struct, frozen=True):
    """``name in ('web', 'db')``."""

    path: Path
    values: tuple[Literal, ...]
    at: int


class Search(msgspec.Struct, frozen=True):
    """``contains(name, 'web')``, ``startswith`` or ``endswith``."""

    function: str
    path: Path
    value: Literal
    at: int


class Holds(msgspec.Struct, frozen=True):
    """A field that is true or false, as a condition by itself."""

    path: Path
    at: int


class Quantified(msgspec.Struct, frozen=True):
    """``disks/any(disk: disk/capacity gt 1)``, or ``all``; without a condition whether there are any."""

    path: Path
    every: bool
    variable: str
    condition: Condition | None
    at: int


class Not(msgspec.Struct, frozen=True):
    """``not ...``."""

    condition: Condition


class Joined(msgspec.Struct, frozen=True):
    """Several conditions with ``and`` or ``or`` between them."""

    word: str
    conditions: tuple[Condition, ...]


Condition: TypeAlias = Compare | Within | Search | Holds | Quantified | Not | Joined


class Order(msgspec.Struct, frozen=True):
    """One key of ``$orderby``."""

    path: Path
    descending: bool
