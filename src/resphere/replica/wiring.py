"""What a package brings to a server: declared in the value ``WIRING`` of its module ``wiring``, put together once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Generic, TypeVar

import msgspec

from resphere.replica.derived import Derived
from resphere.replica.lease import LEASES
from resphere.replica.replica import Rule
from resphere.replica.table import Table

P = TypeVar("P")


class Sweep(msgspec.Struct, Generic[P], frozen=True):
    """What every worker does now and then with its own ``part``."""

    part: type[P]
    run: Callable[[P], Awaitable[object]]


class Wiring(msgspec.Struct, frozen=True, kw_only=True):
    """``tables`` of a package's documents, what it keeps ``derived`` from documents, the ``rules`` of every change of
    documents, and ``sweeps`` over its parts."""

    tables: tuple[Table[Any], ...] = ()
    derived: tuple[Derived[Any], ...] = ()
    rules: tuple[Rule[Any], ...] = ()
    sweeps: tuple[Sweep[Any], ...] = ()


def joined(wirings: Iterable[Wiring]) -> Wiring:
    """All of it as one."""
    wirings = tuple(wirings)
    return Wiring(
        tables=tuple(table for wiring in wirings for table in wiring.tables),
        derived=tuple(each for wiring in wirings for each in wiring.derived),
        rules=tuple(rule for wiring in wirings for rule in wiring.rules),
        sweeps=tuple(sweep for wiring in wirings for sweep in wiring.sweeps),
    )


WIRING = Wiring(tables=(LEASES,))
"""What the replica itself brings."""
