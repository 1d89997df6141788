"""Moments as vSphere's wire has them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resphere.contract.model import DateTime, Struct
from resphere.contract.moments import plain, wire_time


class Timed(Struct, frozen=True):
    """A structure with moments in it."""

    name: str
    at: DateTime
    later: tuple[DateTime, ...] = ()
    unset: DateTime | None = None


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "2026-01-02T03:04:05.000Z"),
        (datetime(2026, 1, 2, 3, 4, 5, 678_000, UTC), "2026-01-02T03:04:05.678Z"),
        (datetime(2026, 1, 2, 3, 4, 5, 678_999, UTC), "2026-01-02T03:04:05.678Z"),
        (datetime(2026, 1, 2, 1, 0, tzinfo=timezone(timedelta(hours=2))), "2026-01-01T23:00:00.000Z"),
        (datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=2))), "0001-01-01T00:00:00.000+02:00"),
        (datetime(9999, 12, 31, 23, 59, tzinfo=timezone(timedelta(hours=-1))), "9999-12-31T23:59:00.000-01:00"),
    ],
)
def test_three_digits_in_utc(moment: datetime, text: str) -> None:
    assert wire_time(moment) == text


@given(st.datetimes(timezones=st.timezones()))
def test_what_is_written_is_read_as_the_same_moment(moment: datetime) -> None:
    read = msgspec.convert(wire_time(moment), DateTime)
    whole = moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    assert read.timestamp() == whole.timestamp()


def test_a_value_as_json_has_it() -> None:
    moment = datetime(2026, 1, 2, tzinfo=UTC)
    assert plain(Timed("x", moment, (moment,))) == {
        "name": "x",
        "at": "2026-01-02T00:00:00.000Z",
        "later": ["2026-01-02T00:00:00.000Z"],
    }
    assert plain({7: {moment}, "none": None}) == {"7": ["2026-01-02T00:00:00.000Z"], "none": None}
