"""Rows of lists: page by page, to an end, whatever a server says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from resphere.cli.remote.resources import NOUNS
from resphere.cli.remote.rows import at, listed
from resphere.contract.errors import UnableToAllocateResource


class Answers:
    """A server that says these things, one after the other, and the last of them for ever."""

    def __init__(self, *answers: Any, whole: Any = None) -> None:
        self._answers = list(answers)
        self._whole = whole
        self.asked: list[dict[str, Any]] = []

    def call(self, operation: str, input: Mapping[str, Any]) -> Any:
        self.asked.append(dict(input))
        assert len(self.asked) < 10, "it has no end"
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def every(self, operation: str, input: Mapping[str, Any]) -> Any:
        return self._whole


def events(*numbers: int, next: int, latest: int) -> dict[str, Any]:
    """A page of events."""
    return {"events": [{"sequence": number} for number in numbers], "next": next, "latest": latest}


@pytest.mark.parametrize(
    "answers",
    [
        (events(1, next=1, latest=4), events(next=3, latest=5), events(4, next=4, latest=9)),
        (events(1, 4, next=4, latest=4),),
        (events(1, next=2, latest=9), events(4, next=2, latest=9)),
    ],
    ids=["to the latest of the first page", "one page", "until it goes on no more"],
)
def test_pages_of_events_have_an_end(answers: tuple[dict[str, Any], ...]) -> None:
    server = Answers(*answers)
    assert [row["sequence"] for row in listed(server, NOUNS["events"], {"filter": {"kinds": ["TASK"]}})] == [1, 4]
    assert len(server.asked) == len(answers)


def test_pages_of_roles_go_on_by_markers() -> None:
    server = Answers({"items": [{"role": "1"}], "marker": "a"}, {"items": [{"role": "2"}]})
    given: dict[str, Any] = {"filter": {"names": ["x"]}}
    assert [row["role"] for row in listed(server, NOUNS["roles"], given)] == ["1", "2"]
    assert given == {"filter": {"names": ["x"]}}


def test_lists_that_are_too_long_come_page_by_page() -> None:
    rows = [{"vm": f"vm-{number}"} for number in range(5000)]
    assert listed(Answers(UnableToAllocateResource(), whole=rows), NOUNS["vm"], {}) == rows


def test_maps_have_their_keys_in_the_rows() -> None:
    assert listed(Answers({"task-1": {"status": "RUNNING"}}), NOUNS["task"], {}) == [
        {"task": "task-1", "status": "RUNNING"}
    ]


@pytest.mark.parametrize(
    ("path", "found"), [("a.b", 1), ("a.c", None), ("d.1.e", 2), ("d.7.e", None), ("a.b.c", None), ("d.x", None)]
)
def test_places_in_rows(path: str, found: int | None) -> None:
    assert at({"a": {"b": 1}, "d": [{}, {"e": 2}]}, path) == found
