"""Prototypes of vApps, and the machines that there are of them."""

from __future__ import annotations

import pytest

from resphere.ovf.issues import BadInput, BadPackage
from resphere.ovf.reading import read
from resphere.ovf.resolving import resolved
from resphere.ovf.scaling import MOST_PARTS, scale_out_groups
from tests.ovf.packages import content, descriptor

VAPP = "vapp-2.ovf"


def ids(option: str | None = None, **instances: int) -> list[str]:
    return [each.id for each in resolved(descriptor(VAPP), option, instances=instances).machines]


def refusal(**instances: int) -> str:
    with pytest.raises(BadInput) as caught:
        resolved(descriptor(VAPP), instances=instances)
    (issue,) = caught.value.issues
    assert issue.name == "instance_count"
    return issue.message.default_message


def test_groups_are_told() -> None:
    inner, web = scale_out_groups(descriptor(VAPP).content)
    assert (inner.id, inner.description, inner.count(None).maximum) == ("inner", "One for each town", 40)
    assert (web.count("small").default, web.count("large").default, web.count("small").minimum) == (2, 3, 0)


def test_as_many_as_the_descriptor_says() -> None:
    assert ids() == ["db", "web-0", "web-1"]
    assert ids("large") == ["db", "web-0", "web-1", "web-2"]


def test_as_many_as_the_deployment_says() -> None:
    assert ids(web=0) == ["db"]
    made = resolved(descriptor(VAPP), None, instances={"inner": 2, "web": 1})
    assert [each.id for each in made.machines] == ["db", "web-0", "web-0"]
    assert [each.id for each in made.vapps] == ["shop", "inner-0", "inner-1"]
    assert [(each.id, each.order) for each in made.vapps[0].startup] == [("db", 1), ("inner-0", 2), ("inner-1", 2)]


def test_numbers_that_there_cannot_be() -> None:
    assert refusal(inner=0) == "The number of instances of inner must be from 1 to 40, not 0."
    assert refusal(inner=41) == "The number of instances of inner must be from 1 to 40, not 41."
    assert refusal(web=-1) == "The number of instances of web must be from 0 to any, not -1."
    assert refusal(db=2) == "There is no group db of which there can be several."
    too_many = f"A package becomes {MOST_PARTS} machines and vApps at most."
    assert refusal(web=10**12) == too_many
    assert refusal(web=30, inner=40) == too_many


def test_the_descriptor_may_not_say_too_many_either() -> None:
    flood = content(VAPP).replace(b'default="2"', b'default="4294967295"')
    with pytest.raises(BadInput):
        resolved(read(flood).descriptor)
    empty = content(VAPP).replace(b'ovf:maximum="40"', b"").replace(b'default="1"', b'default="4294967295"')
    with pytest.raises(BadInput):
        resolved(read(empty).descriptor, instances={"web": 0})


@pytest.mark.parametrize("count", [b'ovf:default="41" ovf:maximum="40"', b'ovf:default="x"', b'ovf:minimum="1"'])
def test_bounds_that_contradict_themselves(count: bytes) -> None:
    with pytest.raises(BadPackage):
        read(content(VAPP).replace(b'ovf:default="1" ovf:maximum="40"', count))
