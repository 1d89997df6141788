"""Old files go, a signed anchor tells of each, and nothing else passes for that."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from resphere.audit.chain import Kind, anchor_of
from resphere.audit.retention import Keep, tidy
from resphere.audit.trail import Rotation, Trail
from tests.audit.trails import Logs, killed, write

EVERYTHING = Keep(seconds=0, bytes=0)
SMALL_FILES = Rotation(bytes=2000, seconds=0)


@pytest.fixture
def logs(tmp_path: Path) -> Logs:
    return Logs(tmp_path)


def names(logs: Logs) -> list[str]:
    return sorted(path.name for path in logs.folder.iterdir())


def aged(logs: Logs, name: str, seconds: float) -> None:
    """Have a file be written so long ago."""
    time = logs.clock.now.timestamp() - seconds
    os.utime(logs.folder / name, (time, time))


def all_new(logs: Logs) -> None:
    for name in names(logs):
        aged(logs, name, 0)


def tidied(logs: Logs, trail: Trail, keep: Keep) -> int:
    return asyncio.run(tidy(trail, logs.folder, logs.heads, keep, logs.clock.now))


def test_what_is_not_old_stays(logs: Logs) -> None:
    trail = logs.trail(SMALL_FILES)
    write(trail, range(10))
    all_new(logs)
    before = names(logs)
    for keep in (EVERYTHING, Keep(seconds=60, bytes=1_000_000)):
        assert tidied(logs, trail, keep) == 0
    assert names(logs) == before
    trail.close()


def test_old_files_go_and_an_anchor_tells_of_them(logs: Logs) -> None:
    trail = logs.trail(SMALL_FILES)
    write(trail, range(10))
    all_new(logs)
    oldest, second, *_ = names(logs)
    for name in (oldest, second):
        aged(logs, name, 100)
    assert tidied(logs, trail, Keep(seconds=99, bytes=0)) == 2
    assert oldest not in names(logs)
    anchor = anchor_of(logs.lines()[-1])
    assert anchor is not None
    assert anchor.kind is Kind.DELETION
    assert [each.file for each in anchor.deleted] == [oldest, second]
    trail.close()
    for with_heads in (True, False):
        assert logs.findings(with_heads=with_heads) == []


def test_the_oldest_go_where_all_are_too_large(logs: Logs) -> None:
    trail = logs.trail(SMALL_FILES)
    write(trail, range(20))
    all_new(logs)
    _, *others = names(logs)
    size_bytes = sum(path.stat().st_size for path in logs.folder.iterdir())
    assert tidied(logs, trail, Keep(seconds=0, bytes=size_bytes - 1)) == 1
    assert names(logs) == others
    assert tidied(logs, trail, Keep(seconds=0, bytes=1)) == len(others) - 1
    assert names(logs) == ["audit.log"], "what is written stays"
    trail.close()
    assert logs.findings() == []


def test_more_files_than_one_anchor_tells_of(logs: Logs) -> None:
    trail = logs.trail(Rotation(bytes=1, seconds=0))
    write(trail, range(230))
    assert tidied(logs, trail, Keep(seconds=0, bytes=1)) == 230
    trail.close()
    assert logs.kinds() == [Kind.DELETION] * 3 + [Kind.STOP]
    assert logs.findings() == []


def test_deleting_them_oneself_is_found(logs: Logs) -> None:
    trail = logs.trail(SMALL_FILES)
    write(trail, range(20))
    all_new(logs)
    oldest, second, *_ = names(logs)
    aged(logs, oldest, 100)
    assert tidied(logs, trail, Keep(seconds=99, bytes=0)) == 1
    (logs.folder / second).unlink()
    trail.close()
    for with_heads in (True, False):
        [finding] = logs.findings(with_heads=with_heads)
        assert "missing, and no anchor tells that they were deleted" in finding.text


def test_a_file_that_a_kill_has_left_is_whole_and_goes_next_time(logs: Logs) -> None:
    trail = logs.trail(SMALL_FILES)
    write(trail, range(10))
    all_new(logs)
    oldest = names(logs)[0]
    content = (logs.folder / oldest).read_bytes()
    aged(logs, oldest, 100)
    keep = Keep(seconds=99, bytes=0)
    assert tidied(logs, trail, keep) == 1
    (logs.folder / oldest).write_bytes(content)
    aged(logs, oldest, 100)
    killed(trail)
    assert logs.findings() == []
    trail = logs.trail(SMALL_FILES)
    all_new(logs)
    aged(logs, oldest, 100)
    assert tidied(logs, trail, keep) == 1
    trail.close()
    assert logs.findings() == []


def test_chains_that_nobody_writes_go_whole_and_begin_again(logs: Logs) -> None:
    one, other = logs.trail(SMALL_FILES), logs.trail(SMALL_FILES)
    write(other, range(10))
    other.close()
    all_new(logs)
    for name in names(logs):
        if name.startswith("audit.2."):
            aged(logs, name, 100)
    tidied(logs, one, Keep(seconds=99, bytes=0))
    assert names(logs) == ["audit.log"]
    for with_heads in (True, False):
        assert logs.findings(with_heads=with_heads) == []
    other = logs.trail()
    assert other.chain == 2
    write(other, range(1))
    for trail in (other, one):
        trail.close()
    assert logs.findings() == []


def test_a_chain_that_is_taken_up_again_meanwhile_stays(logs: Logs) -> None:
    one, other = logs.trail(), logs.trail()
    write(other, range(3))
    other.close()
    all_new(logs)
    aged(logs, "audit.2.log", 100)
    taken: list[Trail] = []
    sync = one.sync

    def sync_and_take() -> Callable[[], None]:
        taken.append(logs.trail())
        return sync()

    one.sync = sync_and_take  # type: ignore[method-assign]
    tidied(logs, one, Keep(seconds=99, bytes=0))
    assert "audit.2.log" in names(logs)
    for trail in (*taken, one):
        trail.close()
    assert logs.findings() == []


def test_what_is_no_file_of_the_log_stays(logs: Logs, caplog: pytest.LogCaptureFixture) -> None:
    trail = logs.trail()
    foreign = logs.folder / "audit.000000000001.log"
    foreign.write_text("mine\n")
    aged(logs, foreign.name, 100)
    assert tidied(logs, trail, Keep(seconds=99, bytes=0)) == 0
    assert foreign.exists()
    assert "no file of the audit log" in caplog.text
    trail.close()


def test_nothing_goes_that_cannot_be_told(logs: Logs) -> None:
    trail = logs.trail(SMALL_FILES)
    write(trail, range(10))
    all_new(logs)
    logs.disk.room_bytes = 0
    before = names(logs)
    assert tidied(logs, trail, Keep(seconds=0, bytes=1)) == 0
    assert names(logs) == before
    logs.disk.room_bytes = None
    trail.close()
