"""The kept inputs of fuzzing: each is tried again, so that a fault which was found stays mended."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from resphere.server.exchange import Exchange
from tests.fuzz.targets import CORPUS, Target, kept_inputs, targets


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Target]]:
    with targets(tmp_path_factory.mktemp("fuzz")) as known:
        yield known


def test_every_target_has_kept_inputs(known: dict[str, Target]) -> None:
    assert {each.parent.name for each in kept_inputs()} == set(known)


@pytest.mark.parametrize("name", sorted(each.name for each in CORPUS.iterdir()))
def test_kept_inputs_do_no_harm(known: dict[str, Target], name: str) -> None:
    for each in kept_inputs():
        if each.parent.name == name:
            known[name](each.read_bytes())


def test_requests_leave_nothing_behind(known: dict[str, Target]) -> None:
    """A struct that the garbage collector passes over, in a ring with a traceback, would stay for good."""
    # What other tests have logged of failures may hold theirs.
    before = exchanges()
    for each in kept_inputs():
        known[each.parent.name](each.read_bytes())
    assert [each for each in exchanges() if not any(each is one for one in before)] == []


def exchanges() -> list[Exchange]:
    """All that are in memory, but for garbage."""
    gc.collect()
    return [each for each in gc.get_objects() if isinstance(each, Exchange)]
