"""Lists of resphere page by page, and of a vCenter, which has no pages, whole."""

from __future__ import annotations

import pytest

from resphere.client import NotOffered
from resphere.client.options import Identity, Options
from resphere.client.paging import START, Listing, Place, page
from resphere.client.steps import Response
from resphere.contract.generated.cis import Tasks
from resphere.contract.generated.vcenter import VM
from tests.client.stepping import NO_RESPHERE, RESPHERE, Stepper, reply

OPTIONS = Options()


def vms(*numbers: int, **headers: str) -> Response:
    """A list of so many VMs."""
    told = [{"vm": f"vm-{number}", "name": str(number), "power_state": "POWERED_ON"} for number in numbers]
    return reply(200, told, **headers)


def taken(stepper: Stepper, listing: Listing) -> list[str]:
    """The names of all that are listed."""
    names: list[str] = []
    place = START
    while place is not None:
        found = stepper.run(page(stepper.calls, VM.list, VM.ListInput(), listing, place, OPTIONS))
        names += [vm.name for vm in found.items]
        place = found.next
    return names


def stepper(*answers: Response) -> Stepper:
    return Stepper(*answers, identity=Identity(session_id="s"))


def test_page_by_page() -> None:
    steps = stepper(RESPHERE, vms(1, 2, resphere_cursor="a"), vms(3, 4, resphere_cursor="b"), vms())
    assert taken(steps, Listing(filter="x", order_by="name", page_size=2)) == ["1", "2", "3", "4"]
    both = (("$filter", "x"), ("$orderby", "name"), ("$top", "2"))
    assert [request.query for request in steps.requests[1:]] == [
        both,
        (*both, ("$skiptoken", "a")),
        (*both, ("$skiptoken", "b")),
    ]


def test_no_more_than_are_wanted() -> None:
    steps = stepper(RESPHERE, vms(1, 2, resphere_cursor="a"), vms(3, resphere_cursor="b"))
    assert taken(steps, Listing(page_size=2, limit=3, skip=4)) == ["1", "2", "3"]
    assert [request.query for request in steps.requests[1:]] == [
        (("$top", "2"), ("$skip", "4")),
        (("$top", "1"), ("$skiptoken", "a")),
    ]


def test_none_are_wanted() -> None:
    assert taken(stepper(), Listing(limit=0)) == []


def test_a_vcenter_lists_everything() -> None:
    steps = stepper(NO_RESPHERE, vms(1, 2, 3, 4, 5))
    assert taken(steps, Listing(page_size=2)) == ["1", "2", "3", "4", "5"]
    assert steps.requests[-1].query == ()
    steps.answers = [vms(1, 2, 3, 4, 5)]
    assert taken(steps, Listing(skip=1, limit=3)) == ["2", "3", "4"]
    assert len(steps.requests) == 3


@pytest.mark.parametrize("listing", [Listing(filter="x"), Listing(order_by="x")])
def test_a_vcenter_neither_filters_nor_sorts(listing: Listing) -> None:
    with pytest.raises(NotOffered, match="resphere's"):
        taken(stepper(NO_RESPHERE), listing)


def test_a_map_is_its_pairs() -> None:
    steps = stepper(NO_RESPHERE, reply(200, {"task-1": {"status": "PAUSED"}}))
    assert START is not None
    found = steps.run(page(steps.calls, Tasks.list, Tasks.ListInput(), Listing(), Place(), OPTIONS))
    ((task, info),) = found.items
    assert (task, info.status) == ("task-1", "PAUSED")
