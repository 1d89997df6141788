"""Of each table of the server somebody has decided whether an inventory file has it."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from resphere.inventory.model import KINDS
from resphere.providers.simulator.inventory_entries import SECTIONS as MANAGED
from resphere.server.exports.sections import Section
from resphere.server.exports.tables import EXPORTED, LEFT_OUT, SECTIONS
from resphere.server.wiring import WIRING

TABLES: set[type[Any]] = {table.cls for table in WIRING.tables}


@pytest.mark.parametrize("cls", [table.cls for table in sorted(WIRING.tables, key=lambda table: table.cls.kind)])
def test_every_table_is_exported_or_left_out_for_a_reason(cls: type) -> None:
    """Who adds a table decides: a section in server/exports, or a line with the reason in LEFT_OUT."""
    assert (cls in EXPORTED) != (cls in LEFT_OUT), f"{cls.__name__}: see resphere.server.exports.tables"


def test_nothing_is_declared_that_is_no_table() -> None:
    assert EXPORTED | LEFT_OUT.keys() == TABLES


def test_a_class_stands_in_one_section() -> None:
    sections = [cls for section in SECTIONS for cls in section.classes]
    assert [cls for cls, count in Counter([*KINDS.values(), *sections]).items() if count > 1] == []
    names = [section.name for section in SECTIONS]
    assert len(names) == len({*names} - MANAGED.keys())


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.name)
def test_what_a_section_may_not_have_twice_is_a_field_of_it(section: Section) -> None:
    field, why = section.taken
    assert field in section.fields
    assert "{0}" in why


def test_reasons_say_something() -> None:
    assert all(left.what and left.why and not left.why.endswith(".") for left in LEFT_OUT.values())
