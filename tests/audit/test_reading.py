"""Pages of the audit log have every record once, in the order of time, whatever their size."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resphere.audit.files import find_from, lines_backward, lines_forward
from resphere.audit.formats import json_object
from resphere.audit.reading import AuditLog, Entry, Query
from resphere.audit.trail import Rotation
from tests.audit.records import record
from tests.audit.trails import Logs, write
from tests.support.examples import examples

START = datetime(2026, 11, 23, 12, tzinfo=UTC)
RECORDS = 60


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> AuditLog:
    """A log of two chains, in several files: a record each minute."""
    logs = Logs(tmp_path_factory.mktemp("audit"))
    trails = [logs.trail(Rotation(bytes=6000, seconds=0)) for _ in range(2)]
    for number in range(RECORDS):
        moment = START + timedelta(minutes=number)
        logs.clock.now = moment
        made = record(request_id=str(number), start_time=moment - timedelta(seconds=1), duration_seconds=1.0)
        assert trails[number % 3 == 0].write(json_object(made))
    for trail in trails:
        trail.close()
    assert len(list(logs.folder.iterdir())) > 4
    return AuditLog(logs.folder)


def pages(log: AuditLog, query: Query, size: int) -> list[Entry]:
    """All that the query finds, page by page."""
    found: list[Entry] = []
    page = log.page(query, None, size)
    found += page.entries
    while page.next is not None:
        assert len(page.entries) <= size
        page = log.page(query, page.next, size)
        found += page.entries
    return found


def numbers(entries: list[Entry]) -> list[int]:
    return [int(entry.record.request_id) for entry in entries]


@pytest.mark.parametrize("newest_first", [True, False])
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_every_record_once_in_order(log: AuditLog, newest_first: bool, size: int) -> None:
    found = numbers(pages(log, Query(newest_first=newest_first), size))
    assert found == sorted(range(RECORDS), reverse=newest_first)


@settings(max_examples=examples(60), deadline=None)
@given(st.integers(-5, 70), st.integers(-5, 70), st.booleans(), st.integers(1, 9))
def test_from_a_moment_to_another(log: AuditLog, first: int, last: int, newest_first: bool, size: int) -> None:
    start, end = (START + timedelta(minutes=number) for number in (first, last))
    found = numbers(pages(log, Query(newest_first=newest_first, start=start, end=end), size))
    assert found == sorted(range(max(0, first), min(RECORDS, last)), reverse=newest_first)


def test_a_page_ends_after_so_many_lines(log: AuditLog) -> None:
    log = AuditLog(log.folder, most_lines=10)
    query = Query(newest_first=False, accepts=lambda found: found.request_id == "50")
    page = log.page(query, None, 5)
    assert page.entries == ()
    assert page.next is not None
    assert numbers(pages(log, query, 5)) == [50]


def test_lines_that_are_none_are_passed_over(tmp_path: Path) -> None:
    logs = Logs(tmp_path)
    trail = logs.trail()
    assert trail.write(json_object(record(request_id="1")))
    trail.close()
    content = logs.path.read_bytes().splitlines(keepends=True)
    logs.path.write_bytes(b"".join([content[0], b"\xff nonsense\n", *content[1:], b'{"sequence":9']))
    for newest_first in (True, False):
        assert numbers(pages(AuditLog(logs.folder), Query(newest_first=newest_first), 10)) == [1]


def test_nothing_is_found_where_there_is_no_log(tmp_path: Path) -> None:
    assert AuditLog(tmp_path / "none").page(Query(), None, 10).entries == ()


@settings(max_examples=examples(100), deadline=None)
@given(lengths=st.lists(st.integers(0, 9), max_size=30), bound=st.integers(0, 31), rest=st.integers(0, 3))
def test_lines_are_found_from_either_end(
    tmp_path_factory: pytest.TempPathFactory, lengths: list[int], bound: int, rest: int
) -> None:
    path = tmp_path_factory.mktemp("lines") / "file"
    lines = [b"%02d%b\n" % (number, b"x" * length) for number, length in enumerate(lengths)]
    path.write_bytes(b"".join(lines) + b"99"[:rest])
    with path.open("rb") as file:
        place = find_from(file, lambda line: int(line[:2]) < bound)
        assert list(lines_forward(file, place))[: max(0, len(lines) - bound)] == lines[bound:]
        assert list(lines_backward(file, place)) == lines[:bound][::-1]
        assert list(lines_backward(file)) == lines[::-1]


def test_lines_longer_than_what_is_read_at_once(tmp_path: Path) -> None:
    path = tmp_path / "file"
    lines = [b"a" * 300_000 + b"\n", b"b\n", b"c" * 200_000 + b"\n"]
    path.write_bytes(b"".join(lines))
    with path.open("rb") as file:
        assert list(lines_backward(file)) == lines[::-1]


@pytest.mark.parametrize("newest_first", [True, False])
def test_files_that_follow_one_another_and_go_meanwhile(tmp_path: Path, newest_first: bool) -> None:
    logs = Logs(tmp_path)
    trail = logs.trail(Rotation(bytes=3000, seconds=0))
    write(trail, range(12))
    lines = AuditLog(logs.folder).lines(Query(newest_first=newest_first), {})
    before = [next(lines)]
    write(trail, range(12, 40))
    found = [line for _, _, line in (*before, *lines) if not line.is_anchor]
    assert len(found) >= 12
    assert len({line.sequence for line in found}) == len(found)
    gone = AuditLog(logs.folder).lines(Query(newest_first=newest_first), {})
    next(gone)
    for path in sorted(logs.folder.glob("audit.0*"))[1:-1]:
        path.unlink()
    assert len(list(gone)) > 2
    trail.close()
