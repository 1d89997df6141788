"""How much is in a result, two levels deep."""

from __future__ import annotations

from typing import Any

import pytest

from resphere.contract.generated import cis_tagging, ids, vapi_std
from resphere.server.extent import holds_at_least

Objects = cis_tagging.TagAssociation.TagToObjects
VM = vapi_std.DynamicID(type="VirtualMachine", id="vm-7")


def on(count: int) -> Any:
    """A tag with so many objects."""
    return Objects(tag_id=ids.CisTaggingTagId("tag"), object_ids=(VM,) * count)


@pytest.mark.parametrize(
    ("result", "items"),
    [
        (None, 0),
        ("x" * 1000, 0),
        ((), 0),
        (("a",) * 7, 7),
        (frozenset("abc"), 3),
        ({"a": 1, "b": 2}, 2),
        (on(5), 5),
        ((on(2), on(3)), 7),
        ({"a": on(2), "b": (1, 2, 3)}, 7),
    ],
)
def test_items_are_counted(result: Any, items: int) -> None:
    assert items == 0 or holds_at_least(result, items)
    assert not holds_at_least(result, items + 1)
