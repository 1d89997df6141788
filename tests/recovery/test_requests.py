"""What a backup is asked for with: passwords, parts, locations and times."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resphere.contract.generated.appliance_recovery_backup import Schedules
from resphere.recovery.archives import COMMON, SEAT
from resphere.recovery.backups import safe
from resphere.recovery.means import read_folders
from resphere.recovery.passwords import refusal
from resphere.recovery.places.errors import BadLocation
from resphere.recovery.places.location import Location, Login, Protocol, read_location
from resphere.recovery.requests import Request, all_parts, faults
from resphere.recovery.times import DAYS, next_time

Day = Schedules.DayOfWeek


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("Ab1!xyz", "8 to 20"),
        ("Ab1!" + "x" * 17, "8 to 20"),
        ("ab1!xyzz", "uppercase"),
        ("AB1!XYZZ", "lowercase"),
        ("Abc!xyzz", "digit"),
        ("Abc1xyzz", "special"),
        ("Ab1! xyz", "visible"),
        ("Ab1!xyzé", "visible"),
    ],
)
def test_passwords_that_are_refused(password: str, why: str) -> None:
    found = refusal(password)
    assert found is not None
    assert why in found.default_message
    assert password not in found.default_message


def test_passwords_that_are_good() -> None:
    assert refusal("Ab1!xyzz") is None
    assert refusal("Ab1!" + "x" * 16) is None


def test_parts() -> None:
    assert all_parts(None) == all_parts(()) == all_parts((COMMON,)) == (COMMON,)
    assert all_parts((SEAT,)) == (COMMON, SEAT)


@pytest.mark.parametrize(
    ("text", "given_type", "expected"),
    [
        ("sftp://Nas.Example.com/a/b/", None, Location(Protocol.SFTP, "nas.example.com", 22, "/a/b")),
        ("sftp://nas:2222", "SFTP", Location(Protocol.SFTP, "nas", 2222, "")),
        ("nas.example.com/a", "HTTPS", Location(Protocol.HTTPS, "nas.example.com", 443, "/a")),
        ("//nas/share/a%20b", "SMB", Location(Protocol.SMB, "nas", 445, "/share/a b")),
        ("ftps://[::1]/a", None, Location(Protocol.FTPS, "::1", 990, "/a")),
        ("ftp://bücher.example/a", None, Location(Protocol.FTP, "xn--bcher-kva.example", 21, "/a")),
    ],
)
def test_locations(text: str, given_type: str | None, expected: Location) -> None:
    assert read_location(text, given_type) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nas/a",
        "file:///etc",
        "gopher://nas/a",
        "sftp://",
        "sftp://user@nas/a",
        "sftp://user:secret@nas/a",
        "sftp://nas/a/../../b",
        "sftp://nas/a%2f..%2fb",
        "sftp://nas/a?b",
        "sftp://nas/a#b",
        "sftp://nas:0/a",
        "sftp://nas:99999/a",
        "sftp://nas:x/a",
        "sftp://[::1/a",
        "smb://nas/a%5cb",
        "sftp://nas/%ff",
        "sftp://nas/a\nb",
        "sftp://nas/" + "a" * 3000,
    ],
)
def test_locations_that_are_none(text: str) -> None:
    with pytest.raises(BadLocation):
        read_location(text)


@given(st.text(max_size=60), st.sampled_from((None, *(each.value for each in Protocol))))
def test_any_text_is_a_location_or_refused(text: str, given_type: str | None) -> None:
    try:
        found = read_location(text, given_type)
    except BadLocation:
        return
    assert read_location(found.url) == found


def test_a_location_of_another_type() -> None:
    with pytest.raises(BadLocation, match="location_type is SFTP"):
        read_location("ftp://nas/a", "SFTP")


def test_no_password_that_stands_in_a_location_is_told() -> None:
    for text in ("sftp://me:secret@nas/a", "sftp://me:sec/ret@nas/a", "me:secret@nas", "sftp://me:secret"):
        request = Request(location=text, location_type="SFTP")
        told = " ".join(each.default_message for each in faults(request))
        assert told
        assert "sec" not in told
        assert "sec" not in safe(request)


def test_all_faults_are_told_at_once() -> None:
    request = Request(
        parts=("common", "other"),
        password="short",
        location="nowhere",
        login=Login(None, "secret"),
        comment="a\nb",
    )
    told = [each.id.rpartition(".")[2] for each in faults(request)]
    assert told == ["parts", "backup_password", "comment", "location", "location_user"]


def test_folders_for_exports() -> None:
    ((export, folder),) = read_folders(("nfs://nas/exports/a=/mnt/a",))
    assert (export.path, str(folder)) == ("/exports/a", "/mnt/a")
    for wrong in ("nfs://nas/a", "nfs://nas/a=relative", "sftp://nas/a=/mnt", "=/mnt"):
        with pytest.raises(ValueError, match=r"nfs|NFS|empty"):
            read_folders((wrong,))


@given(
    st.integers(0, 2**31).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)),
    st.integers(0, 23),
    st.integers(0, 59),
    st.one_of(st.none(), st.sets(st.sampled_from(DAYS), min_size=1)),
)
def test_the_next_time(moment: datetime, hour: int, minute: int, days: set[Day] | None) -> None:
    recurrence = Schedules.RecurrenceInfo(hour=hour, minute=minute, days=None if days is None else tuple(days))
    due = next_time(recurrence, "Etc/UTC", moment)
    assert moment < due <= moment + timedelta(days=7, minutes=1)
    assert (due.hour, due.minute, due.second) == (hour, minute, 0)
    assert days is None or DAYS[due.weekday()] in days
    if days is None:
        assert due <= moment + timedelta(days=1)


@pytest.mark.parametrize(
    ("after", "due"),
    [
        # Forward in the night to 29 March at two: right after the hour that is not there.
        (datetime(2026, 3, 28, 12, tzinfo=UTC), "2026-03-29T03:00:00+02:00"),
        # Back in the night to 25 October at three: the first of the two, and no second one.
        (datetime(2026, 10, 24, 12, tzinfo=UTC), "2026-10-25T02:30:00+02:00"),
        (datetime(2026, 10, 25, 0, 30, tzinfo=UTC), "2026-10-26T02:30:00+01:00"),
        (datetime(2026, 7, 1, 0, 29, tzinfo=UTC), "2026-07-01T02:30:00+02:00"),
    ],
)
def test_the_next_time_where_clocks_change(after: datetime, due: str) -> None:
    nightly = Schedules.RecurrenceInfo(hour=2, minute=30)
    found = next_time(nightly, "Europe/Berlin", after)
    assert (found.astimezone(ZoneInfo("Europe/Berlin")).isoformat(), found.tzinfo) == (due, UTC)


def test_days_are_those_of_the_zone() -> None:
    mondays = Schedules.RecurrenceInfo(hour=1, minute=0, days=(Day.MONDAY,))
    # Sunday in UTC still.
    assert next_time(mondays, "Asia/Tokyo", datetime(2026, 1, 2, tzinfo=UTC)) == datetime(2026, 1, 4, 16, tzinfo=UTC)
