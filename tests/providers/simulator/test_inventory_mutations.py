"""Whatever stands in a file: it is an inventory that holds together, or it is refused as InventoryFileError."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from resphere.providers.simulator.generate import generate
from resphere.providers.simulator.inventory_entries import SECTIONS
from resphere.providers.simulator.inventory_file import InventoryFileError, parse_inventory, write_inventory
from resphere.providers.simulator.sizes import Sizes
from tests.support.examples import examples
from tests.support.soundness import problems

EXAMPLE = Path(__file__).parents[3] / "docs" / "examples" / "inventory.yaml"
SHORT: Any = {
    name: entries for name, entries in yaml.safe_load(EXAMPLE.read_text(encoding="utf-8")).items() if name in SECTIONS
}
FULL: Any = yaml.safe_load(write_inventory(generate(Sizes(clusters=1, hosts=2, vms=3), 1)))

REPLACEMENTS = st.one_of(
    st.sampled_from(
        [
            "",
            "x",
            "0",
            "-1",
            str(10**30),
            "true",
            "/",
            "/DC01",
            "/DC01/vm",
            "group-d1",
            "host-12",
            "vm-22",
            "DC01",
            "EFI",
        ]
    ),
    st.sampled_from(["group-v3", "datacenter-2", "resgroup-11", "POWERED_ON", "2025-01-01T00:00:00Z", "a" * 90]),
    st.sampled_from([[], {}, ["x"], {"x": "y"}, [{}], [["x"]], {"x": {}}, [{"x": []}]]),
    st.text(max_size=5),
)


def places(value: Any) -> list[tuple[Any, Any]]:
    """All containers in a value, with each of their keys."""
    found: list[tuple[Any, Any]] = []
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        found.append((value, key))
        found += places(inner)
    return found


def mutated(data: st.DataObject, document: Any) -> Any:
    document = copy.deepcopy(document)
    for _ in range(data.draw(st.integers(1, 3))):
        found = places(document)
        if not found:
            break
        container, key = found[data.draw(st.integers(0, len(found) - 1))]
        match data.draw(st.sampled_from(["replace", "remove", "move"])):
            case "replace":
                container[key] = copy.deepcopy(data.draw(REPLACEMENTS))
            case "remove":
                del container[key]
            case _:
                other, place = found[data.draw(st.integers(0, len(found) - 1))]
                container[key] = copy.deepcopy(other[place])
    return document


def check_mutation(document: Any) -> None:
    try:
        objects = parse_inventory(yaml.safe_dump(document), "file")
    except InventoryFileError:
        return
    assert problems(objects) == []
    assert parse_inventory(write_inventory(objects), "file") == objects


@settings(max_examples=examples(250))
@given(st.data())
def test_a_changed_short_file_loads_or_is_refused(data: st.DataObject) -> None:
    check_mutation(mutated(data, SHORT))


@settings(max_examples=examples(100))
@given(st.data())
def test_a_changed_full_file_loads_or_is_refused(data: st.DataObject) -> None:
    check_mutation(mutated(data, FULL))
