"""What packages declare is wired: nothing that a module has is left out, and nothing stands there twice."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from typing import Any

import pytest

import resphere
from resphere.replica.derived import Derived
from resphere.replica.table import Table
from resphere.server.wiring import WIRING

NOT_MODULES_OF_OURS = ("resphere.__main__", "resphere.contract.")


def declared() -> Iterator[Any]:
    """All values at the top of modules, and what tuples there hold."""
    for module in pkgutil.walk_packages(resphere.__path__, "resphere."):
        if not module.name.startswith(NOT_MODULES_OF_OURS):
            for value in vars(importlib.import_module(module.name)).values():
                yield from value if isinstance(value, tuple) else (value,)


def distinct(cls: type) -> dict[int, Any]:
    """Those of a class, by their identity."""
    return {id(value): value for value in declared() if isinstance(value, cls)}


@pytest.mark.parametrize(("cls", "wired"), [(Table, WIRING.tables), (Derived, WIRING.derived)])
def test_every_declaration_is_wired_once(cls: type, wired: tuple[Any, ...]) -> None:
    assert len(wired) == len(set(map(id, wired)))
    assert distinct(cls).keys() == set(map(id, wired))


def test_no_two_tables_are_of_one_kind() -> None:
    kinds = [table.cls.kind for table in WIRING.tables]
    assert len(kinds) == len(set(kinds))
    assert len({table.cls for table in WIRING.tables}) == len(kinds)
