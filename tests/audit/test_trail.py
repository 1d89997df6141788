"""The audit log as one process writes it: each line follows on the one before, whatever happens in between."""

from __future__ import annotations

import errno
import logging
import multiprocessing
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from resphere.audit.chain import Kind, anchor_of
from resphere.audit.formats import json_object
from resphere.audit.heads import boot_id
from resphere.audit.reserve import LEAST_BYTES
from resphere.audit.trail import ANCHOR_RECORDS, ANCHOR_SECONDS, Rotation, Trail
from tests.audit.records import LIST_VMS, record
from tests.audit.trails import KEY, Logs, killed, write
from tests.support.full_disk import file_size_limit


@pytest.fixture
def logs(tmp_path: Path) -> Logs:
    return Logs(tmp_path)


def test_a_record_is_in_the_file_when_write_returns(logs: Logs) -> None:
    trail = logs.trail()
    write(trail, range(3))
    assert logs.kinds() == [Kind.START, None, None, None]
    trail.close()
    assert logs.kinds() == [Kind.START, None, None, None, Kind.STOP]
    assert [line.sequence for line in logs.lines()] == [1, 2, 3, 4, 5]
    assert logs.findings() == []


def test_the_file_is_not_for_everybody(logs: Logs) -> None:
    logs.trail().close()
    assert logs.path.stat().st_mode & 0o007 == 0


def test_a_chain_goes_on_after_a_stop(logs: Logs) -> None:
    for first in (0, 10):
        trail = logs.trail()
        write(trail, range(first, first + 2))
        trail.close()
    assert logs.kinds() == [Kind.START, None, None, Kind.STOP] * 2
    assert logs.findings() == []


def test_a_chain_goes_on_after_a_kill(logs: Logs) -> None:
    trail = logs.trail()
    write(trail, range(2))
    killed(trail)
    trail = logs.trail()
    trail.close()
    assert logs.kinds() == [Kind.START, None, None, Kind.START, Kind.STOP]
    assert logs.findings() == []


def test_a_kill_between_the_note_and_the_line(logs: Logs) -> None:
    trail = logs.trail()
    write(trail, range(2))
    logs.disk.room_bytes = 0
    assert not trail.write(json_object(LIST_VMS))  # noted, and not written
    killed(trail)
    assert logs.findings() == []
    logs.disk.room_bytes = None
    logs.trail().close()
    assert logs.findings() == []


def test_records_that_are_written_at_once_follow_on_each_other(logs: Logs) -> None:
    trail = logs.trail()
    assert trail.write() == 0
    assert trail.write(*(json_object(record(request_id=str(number))) for number in range(5))) == 5
    assert trail.place.sequence == 6
    write(trail, range(5, 7))
    trail.close()
    assert logs.kinds() == [Kind.START, *[None] * 7, Kind.STOP]
    assert logs.findings() == []


@pytest.mark.parametrize("lines_there", [0, 1, 2.5, 3, 4])
def test_a_kill_while_several_are_written(logs: Logs, lines_there: float) -> None:
    line_bytes = 0

    def append(descriptor: int, content: bytes) -> int:
        if content.count(b"\n") == 1:
            return os.write(descriptor, content)
        nonlocal line_bytes
        line_bytes = content.index(b"\n") + 1
        os.write(descriptor, content[: round(line_bytes * lines_there)])
        raise KeyboardInterrupt

    trail = Trail(logs.folder, logs.heads, KEY, clock=logs.clock, append=append)
    write(trail, range(2))
    with pytest.raises(KeyboardInterrupt):
        trail.write(*[json_object(LIST_VMS)] * 4)
    killed(trail)
    trail = logs.trail()
    write(trail, range(2))
    trail.close()
    assert logs.kinds() == [Kind.START, None, None, *[None] * int(lines_there), Kind.START, None, None, Kind.STOP]
    assert logs.findings() == []


def test_lines_that_were_written_at_once_are_missed_all_the_same(logs: Logs) -> None:
    trail = logs.trail()
    trail.write(*[json_object(LIST_VMS)] * 4)
    killed(trail)
    logs.path.write_bytes(b"".join(logs.path.read_bytes().splitlines(keepends=True)[:3]))
    assert [finding.text for finding in logs.findings()] == ["lines 4 to 5 of chain 1 are missing"]
    logs.trail().close()
    [finding] = logs.findings()
    assert finding.text == "lines 4 to 5 were gone when the server started"
    assert finding.tampering


def test_a_line_that_was_not_finished_is_cut_off(logs: Logs) -> None:
    trail = logs.trail()
    write(trail, range(2))
    killed(trail)
    with logs.path.open("ab") as file:
        file.write(b'{"sequence":4,"sta')
    assert [finding.text for finding in logs.findings()] == ["is no line of the audit log, or was changed"]
    logs.trail().close()
    assert logs.findings() == []


def test_each_process_writes_a_chain_of_its_own(logs: Logs) -> None:
    one, other = logs.trail(), logs.trail()
    assert (one.chain, other.chain) == (1, 2)
    write(one, range(2))
    write(other, range(3))
    one.close()
    again = logs.trail()
    assert again.chain == 1
    for trail in (again, other):
        trail.close()
    assert len(logs.lines(2)) == 5
    assert logs.findings() == []


def test_anchors_tell_of_the_other_chains(logs: Logs) -> None:
    one, other = logs.trail(), logs.trail()
    write(other, range(3))
    one.close()
    anchor = anchor_of(logs.lines(1)[-1])
    assert anchor is not None
    assert anchor.heads == {"2": (4, other.place.digest.hex())}
    other.close()


def test_a_log_directory_belongs_to_one_server(logs: Logs, tmp_path: Path) -> None:
    trail = logs.trail()
    other = Logs(tmp_path / "other")
    other.folder = logs.folder
    with pytest.raises(OSError, match="written by another server"):
        other.trail()
    trail.close()


def test_an_anchor_after_so_many_records(logs: Logs) -> None:
    trail = logs.trail()
    write(trail, range(ANCHOR_RECORDS))
    assert logs.kinds()[-2:] == [None, Kind.TIME]
    trail.close()
    assert logs.findings() == []


def test_an_anchor_after_some_time_where_there_are_records(logs: Logs) -> None:
    trail = logs.trail()
    logs.clock.pass_by(ANCHOR_SECONDS)
    trail.tend()
    assert logs.kinds() == [Kind.START]
    write(trail, range(1))
    trail.tend()
    assert logs.kinds() == [Kind.START, None, Kind.TIME]
    trail.close()


def test_another_file_when_one_is_full(logs: Logs) -> None:
    trail = logs.trail(Rotation(bytes=4000, seconds=0))
    write(trail, range(20))
    trail.close()
    names = sorted(path.name for path in logs.folder.iterdir())
    assert len(names) > 2
    assert names[0] == "audit.000000000001.log"
    assert all(path.stat().st_size < 6000 for path in logs.folder.iterdir())
    assert [line.sequence for line in logs.lines()] == list(range(1, len(logs.lines()) + 1))
    assert logs.findings() == []


def test_another_file_when_one_is_old(logs: Logs) -> None:
    trail = logs.trail(Rotation(bytes=0, seconds=3600))
    write(trail, range(2))
    logs.clock.pass_by(1800)
    trail.close()
    trail = logs.trail(Rotation(bytes=0, seconds=3600))
    logs.clock.pass_by(1800)
    trail.tend()
    assert logs.kinds() == [Kind.START, None, None, Kind.STOP, Kind.START, Kind.FILE]
    assert logs.path.stat().st_size == 0
    logs.clock.pass_by(7200)
    trail.tend()
    assert len(list(logs.folder.iterdir())) == 2, "an empty file is never full"
    trail.close()
    assert logs.findings() == []


def test_a_chain_goes_on_in_an_empty_file(logs: Logs) -> None:
    trail = logs.trail(Rotation(bytes=1, seconds=0))
    write(trail, range(2))
    killed(trail)
    assert logs.path.stat().st_size == 0
    logs.trail().close()
    assert logs.findings() == []


def test_a_chain_goes_on_where_the_new_file_was_not_made(logs: Logs) -> None:
    trail = logs.trail(Rotation(bytes=1, seconds=0))
    write(trail, range(2))
    killed(trail, logs.path.unlink)
    logs.trail().close()
    assert logs.findings() == []


def test_a_file_that_others_move_is_found_missing(logs: Logs, caplog: pytest.LogCaptureFixture) -> None:
    trail = logs.trail()
    write(trail, range(2))
    logs.path.rename(logs.path.with_suffix(".moved"))
    trail.tend()
    assert "moved or removed by somebody else" in caplog.text
    write(trail, range(2))
    trail.close()
    assert [finding.text for finding in logs.findings()] == [
        "lines 1 to 3 are missing, and no anchor tells that they were deleted"
    ]


def test_a_full_disk_loses_records_and_says_so_when_there_is_room(logs: Logs, caplog: pytest.LogCaptureFixture) -> None:
    trail = logs.trail()
    write(trail, range(1))
    logs.disk.room_bytes = 0
    for _ in range(3):
        assert not trail.write(json_object(LIST_VMS))
    assert trail.lost_records == 3
    logs.disk.room_bytes = None
    write(trail, range(1))
    assert trail.lost_records == 0
    trail.close()
    assert logs.kinds() == [Kind.START, None, Kind.LOSS, None, Kind.STOP]
    [finding] = logs.findings()
    assert finding.text == "3 records before it could not be written"
    assert not finding.tampering
    assert [each.levelno for each in caplog.records] == [logging.ERROR, logging.WARNING]


def test_what_is_lost_is_told_without_another_record(logs: Logs) -> None:
    trail = logs.trail()
    logs.disk.room_bytes = 0
    assert not trail.write(json_object(LIST_VMS))
    trail.tend()
    logs.disk.room_bytes = None
    trail.tend()
    assert logs.kinds() == [Kind.START, Kind.LOSS]
    trail.close()


def test_half_a_line_is_taken_back(logs: Logs) -> None:
    trail = logs.trail()
    write(trail, range(1))
    logs.disk.room_bytes = 100
    assert not trail.write(json_object(LIST_VMS))
    logs.disk.room_bytes = None
    write(trail, range(1))
    trail.close()
    assert logs.kinds() == [Kind.START, None, Kind.LOSS, None, Kind.STOP]


def test_a_really_full_disk(logs: Logs) -> None:
    trail = logs.trail()
    write(trail, range(1))
    with file_size_limit(logs.path.stat().st_size + 200):
        assert not trail.write(json_object(LIST_VMS))
    write(trail, range(1))
    trail.close()
    assert logs.kinds() == [Kind.START, None, Kind.LOSS, None, Kind.STOP]


def test_room_is_kept_for_what_is_under_way(logs: Logs) -> None:
    trail = Trail(logs.folder, logs.heads, KEY, clock=logs.clock)
    assert trail.ready()
    kept_bytes = logs.path.stat().st_blocks * 512
    assert kept_bytes >= LEAST_BYTES
    assert logs.path.stat().st_size < 1000
    trail.close()
    assert logs.path.stat().st_blocks * 512 < kept_bytes, "it is given back"
    assert logs.findings() == []


def test_nothing_begins_where_no_room_can_be_kept(logs: Logs, caplog: pytest.LogCaptureFixture) -> None:
    trail = logs.trail()
    logs.disk.room_bytes = 10_000
    assert not trail.ready()
    assert not trail.ready()
    write(trail, range(3))  # what was under way is recorded, and so are refusals
    assert caplog.text.count("there is no room left") == 1
    logs.disk.room_bytes = None
    assert trail.ready()
    trail.close()
    assert logs.kinds() == [Kind.START, None, None, None, Kind.STOP]


@pytest.mark.parametrize("number", [errno.EOPNOTSUPP, errno.EINVAL])
def test_a_file_system_that_keeps_no_room(logs: Logs, number: int) -> None:
    def unable(descriptor: int, offset: int, size: int) -> None:
        raise OSError(number, os.strerror(number))

    trail = Trail(logs.folder, logs.heads, KEY, clock=logs.clock, allocate=unable)
    assert trail.ready()
    trail.close()


def test_what_stays_lost_at_the_end_is_logged(logs: Logs, caplog: pytest.LogCaptureFixture) -> None:
    trail = logs.trail()
    logs.disk.room_bytes = 0
    assert not trail.write(json_object(LIST_VMS))
    trail.close()
    assert "closed with 1 records lost" in caplog.text


def test_lines_that_are_gone_at_a_start_are_told(logs: Logs, caplog: pytest.LogCaptureFixture) -> None:
    trail = logs.trail()
    write(trail, range(5))
    trail.close()
    logs.path.write_bytes(b"".join(logs.path.read_bytes().splitlines(keepends=True)[:3]))
    assert [finding.text for finding in logs.findings()] == ["lines 4 to 7 of chain 1 are missing"]
    logs.trail().close()
    assert "lines 4 to 7" in caplog.text
    [finding] = logs.findings()
    assert finding.text == "lines 4 to 7 were gone when the server started"
    assert finding.tampering


@pytest.mark.skipif(not boot_id(), reason="this system does not say when it was started")
def test_lines_that_a_restart_of_the_computer_lost_are_no_tampering(logs: Logs) -> None:
    trail = logs.trail()
    write(trail, range(5))
    trail.close()
    logs.path.write_bytes(b"".join(logs.path.read_bytes().splitlines(keepends=True)[:3]))
    head = logs.heads / "1.head"
    head.write_bytes(head.read_bytes().replace(boot_id(), b"x" * 36))
    logs.trail().close()
    [finding] = logs.findings()
    assert finding.text == "lines 4 to 7 were gone when the server started"
    assert not finding.tampering


def test_lines_that_nobody_noted_are_told(logs: Logs) -> None:
    trail = logs.trail()
    trail.close()
    noted = (logs.heads / "1.head").read_bytes()
    trail = logs.trail()
    write(trail, range(2))
    trail.close()
    (logs.heads / "1.head").write_bytes(noted)
    assert [finding.text for finding in logs.findings()] == ["lines 3 to 6 were not written by the server"]
    logs.trail().close()
    assert [finding.text for finding in logs.findings()] == ["lines 3 to 6 were not noted as written"]


def test_a_head_that_is_gone_is_told(logs: Logs) -> None:
    logs.trail().close()
    (logs.heads / "1.head").unlink()
    logs.trail().close()
    assert [finding.text for finding in logs.findings()] == [
        "when the server started, nothing told how far the chain had come"
    ]


def test_a_log_of_an_earlier_release_is_put_aside(logs: Logs) -> None:
    for number in (1, 2):
        logs.path.write_bytes(b'{"start_time":"2026-11-23T11:15:19.123456Z"}\n')
        (logs.heads / "1.head").unlink(missing_ok=True)
        logs.trail().close()
        assert logs.findings() == []
        logs.path.unlink()
        assert logs.path.with_name(f"audit.log.unreadable-{number}").exists()


def test_a_path_that_cannot_be_written_shows_at_the_start(logs: Logs) -> None:
    logs.path.mkdir()
    with pytest.raises(IsADirectoryError):
        logs.trail()
    logs.path.rmdir()
    logs.trail().close()


def write_until_killed(path: Path, ready: multiprocessing.synchronize.Event) -> None:
    trail = Logs(path).trail(Rotation(bytes=20_000, seconds=0))
    number = 0
    with (path / "acknowledged").open("wb", buffering=0) as acknowledged:
        while True:
            number += 1
            assert trail.write(json_object(record(request_id=str(number))))
            acknowledged.write(b"%d\n" % number)
            if number == 500:
                ready.set()


def test_a_kill_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    ready = context.Event()
    process = context.Process(target=write_until_killed, args=(tmp_path, ready))
    process.start()
    assert ready.wait(timeout=60)
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    logs = Logs(tmp_path)
    acknowledged = len((tmp_path / "acknowledged").read_bytes().splitlines())
    recorded = sum(kind is None for kind in logs.kinds())
    assert acknowledged >= 500
    assert recorded in (acknowledged, acknowledged + 1)
    assert logs.findings() == []
    logs.trail().close()
    assert logs.findings() == []


def test_what_is_signed_verifies_with_openssls_reading_of_the_key() -> None:
    assert KEY.public_pem.startswith(b"-----BEGIN PUBLIC KEY-----\n")
    assert len(KEY.name) == 16


def test_a_kill_at_any_step_leaves_a_log_that_is_right(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.audit.killed_trails", str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
