"""Whatever stands in a file: a server starts from it with all in order, or it is refused as InventoryFileError."""

from __future__ import annotations

from typing import Any

import msgspec
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from resphere.providers.simulator.generate import generate
from resphere.providers.simulator.inventory_faults import InventoryFileError
from resphere.providers.simulator.inventory_yaml import dump
from resphere.providers.simulator.sizes import Sizes
from resphere.replica.table import Stored
from resphere.server.exports.file import file_parts, parse_file
from resphere.server.exports.tables import SECTIONS
from tests.providers.simulator.test_inventory_mutations import mutated
from tests.support.belongings import belongings
from tests.support.examples import examples

OBJECTS = generate(Sizes(clusters=1, hosts=1, vms=5), 1)
MANAGED = "".join(file_parts(OBJECTS))
WHOLE = "".join(file_parts((*OBJECTS, *belongings(OBJECTS)), passwords=True))
BELONGING: Any = yaml.safe_load("\n".join(WHOLE.splitlines()[MANAGED.count("\n") :]))


def by_id(documents: tuple[Stored, ...]) -> dict[tuple[str, str], Stored]:
    return {(each.kind, each.id): each for each in documents}


def test_all_sections_are_changed() -> None:
    assert list(BELONGING) == [section.name for section in SECTIONS]


@settings(max_examples=examples(80))
@given(st.data())
def test_a_changed_file_loads_or_is_refused(data: st.DataObject) -> None:
    changed = mutated(data, BELONGING)
    try:
        read = parse_file(MANAGED + dump(changed), "file")
    except InventoryFileError:
        return
    # It can be stored, and is written and read again as it is.
    for document in read:
        msgspec.json.encode(document)
    assert by_id(parse_file("".join(file_parts(read, passwords=True)), "again")) == by_id(read)
