"""Signs of life as files: what is told of the dead and the missing, and what is left behind."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from resphere.store.liveness import LockedFile, any_alive
from resphere.store.locks import try_lock


def test_who_has_ended_holds_nothing_and_leaves_nothing(tmp_path: Path) -> None:
    own = LockedFile(tmp_path, "own")
    descriptor = os.open(tmp_path / "own", os.O_RDWR)
    try:
        assert not try_lock(descriptor)
        asyncio.run(own.release())
        assert try_lock(descriptor)
    finally:
        os.close(descriptor)
    assert not any(tmp_path.iterdir())
    assert not own.is_alive("own")


def test_the_dead_are_forgotten(tmp_path: Path) -> None:
    own = LockedFile(tmp_path, "own")
    (tmp_path / "dead").touch()
    assert not own.is_alive("dead")
    assert [path.name for path in tmp_path.iterdir()] == ["own"]
    own.end()


def test_whether_anybody_lives(tmp_path: Path) -> None:
    assert not any_alive(tmp_path / "missing")
    (tmp_path / "dead").touch()
    for _ in range(2):  # to look takes nobody's place
        assert not any_alive(tmp_path)
    own = LockedFile(tmp_path, "own")
    assert any_alive(tmp_path)
    own.end()
    assert not any_alive(tmp_path)
