"""Work apart from the server: its effects stay, its errors arrive."""

from __future__ import annotations

import os
import signal
from functools import partial
from pathlib import Path

import pytest

from resphere.providers.simulator.inventory_faults import InventoryFileError
from resphere.replica.errors import ConcurrentChange
from resphere.server.faults import FaultsError
from resphere.server.memory import do_apart, give_back
from resphere.store.base import StoreError


def write_process_id(path: Path) -> None:
    path.write_text(str(os.getpid()))


def answer() -> list[str]:
    return ["an answer"]


def refuse(error: Exception) -> None:
    raise error


def end_at_once() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_the_work_is_done_in_another_process(tmp_path: Path) -> None:
    do_apart(partial(write_process_id, tmp_path / "pid"))
    assert int((tmp_path / "pid").read_text()) != os.getpid()


def test_what_it_returns_is_returned() -> None:
    assert do_apart(answer) == ["an answer"]


@pytest.mark.parametrize(
    "error",
    [
        ValueError("x: wrong"),
        OSError(2, "no such file"),
        StoreError("cannot open y"),
        InventoryFileError(["x.yaml:1: wrong", "x.yaml:2: wrong"]),
        ConcurrentChange("folder/group-d1"),
        FaultsError("fault file x: wrong"),
    ],
)
def test_what_it_raises_is_raised(error: Exception) -> None:
    with pytest.raises(type(error)) as raised:
        do_apart(partial(refuse, error))
    assert str(raised.value) == str(error)


def test_a_process_that_was_ended_is_told_of() -> None:
    with pytest.raises(ChildProcessError, match=r"the process that prepares the server was killed \(SIGKILL\)"):
        do_apart(end_at_once)


def test_giving_back_is_harmless_everywhere() -> None:
    give_back()
