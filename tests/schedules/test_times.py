"""When cron is due: against a plain reference that looks at each minute of a year, where clocks change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resphere.contract.errors import InvalidArgument
from resphere.contract.extensions.schedules import Schedules
from resphere.schedules.times import next_time, require_trigger, some_times
from tests.support.examples import examples

Type = Schedules.TriggerType
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "America/Sao_Paulo")


def cron(expression: str, zone: str | None = None) -> Schedules.Trigger:
    return Schedules.Trigger(type=Type.CRON, cron=expression, time_zone=zone)


def times(expression: str, zone: str, since: datetime, count: int) -> list[str]:
    """The next ones by the clocks there."""
    found = some_times(cron(expression, zone), since, count)
    return [each.astimezone(ZoneInfo(zone)).isoformat() for each in found]


def test_a_fixed_hour_is_due_once_a_day_where_clocks_change() -> None:
    # Forward in the night to 29 March at two, back in the night to 25 October at three.
    spring = times("30 2 * * *", "Europe/Berlin", datetime(2026, 3, 28, 0, tzinfo=UTC), 3)
    assert spring == ["2026-03-28T02:30:00+01:00", "2026-03-29T03:00:00+02:00", "2026-03-30T02:30:00+02:00"]
    autumn = times("30 2 * * *", "Europe/Berlin", datetime(2026, 10, 24, 12, tzinfo=UTC), 2)
    assert autumn == ["2026-10-25T02:30:00+02:00", "2026-10-26T02:30:00+01:00"]
    noon = times("0 12 * * *", "Europe/Berlin", datetime(2026, 3, 28, 0, tzinfo=UTC), 3)
    assert noon == ["2026-03-28T12:00:00+01:00", "2026-03-29T12:00:00+02:00", "2026-03-30T12:00:00+02:00"]


def test_each_hour_is_each_hour_of_those_that_pass() -> None:
    found = some_times(cron("0 * * * *", "Europe/Berlin"), datetime(2026, 10, 24, 22, 30, tzinfo=UTC), 30)
    assert {b - a for a, b in pairwise(found)} == {timedelta(hours=1)}


FIELDS = (
    ("minute", st.one_of(st.just("*"), st.integers(0, 59).map(str), st.sampled_from(["*/15", "0,30", "10-20"]))),
    ("hour", st.one_of(st.just("*"), st.integers(0, 23).map(str), st.sampled_from(["8-18", "*/6", "1,2,3"]))),
    ("day", st.one_of(st.just("*"), st.integers(1, 28).map(str), st.sampled_from(["1,15", "*/7"]))),
    ("month", st.one_of(st.just("*"), st.integers(1, 12).map(str), st.sampled_from(["3,10", "1-6"]))),
    ("weekday", st.one_of(st.just("*"), st.integers(0, 6).map(str), st.sampled_from(["1-5", "MON,FRI"]))),
)
NAMES = {"MON": 1, "FRI": 5}
BOUNDS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 6))


def values(field: str, least: int, most: int) -> set[int]:
    """The plain meaning of a field."""
    found: set[int] = set()
    for term in field.split(","):
        base, _, step = term.partition("/")
        low, _, high = base.partition("-")
        if base == "*":
            begin, end = least, most
        else:
            begin = NAMES[low] if low in NAMES else int(low)
            end = int(high) if high else begin
        found.update(range(begin, end + 1, int(step or 1)))
    return found


def matches(fields: tuple[str, ...], moment: datetime) -> bool:
    """Whether a minute by the clock fits: days by either where both are given, as cron has it."""
    minutes, hours, days, months, weekdays = (
        values(field, *bounds) for field, bounds in zip(fields, BOUNDS, strict=True)
    )
    weekday = (moment.weekday() + 1) % 7
    by_day, by_weekday = moment.day in days, weekday in weekdays
    starred = fields[2].startswith("*") or fields[4].startswith("*")
    day = (by_day and by_weekday) if starred else (by_day or by_weekday)
    return moment.minute in minutes and moment.hour in hours and moment.month in months and day


@settings(max_examples=examples(60))
@given(
    st.tuples(*(strategy for _, strategy in FIELDS)),
    st.sampled_from(ZONES),
    st.integers(0, 358 * 24 * 60),
)
def test_cron_is_due_as_a_plain_reference_says(fields: tuple[str, ...], zone: str, minute: int) -> None:
    """On days on which no clock changes; what holds on the others is told one by one."""
    moment = datetime(2026, 1, 1, tzinfo=UTC) + minute * MINUTE
    there = ZoneInfo(zone)
    expected = []
    look = moment
    for _ in range(3 * 24 * 60):
        look += MINUTE
        local = look.astimezone(there)
        if matches(fields, local):
            expected.append(look)
    if len({(moment + timedelta(days=day)).astimezone(there).utcoffset() for day in range(-1, 5)}) > 1:
        return
    end = moment + timedelta(days=3)
    found = [each for each in some_times(cron(" ".join(fields), zone), moment, len(expected) + 1) if each <= end]
    assert found == expected


@settings(max_examples=examples(60))
@given(st.tuples(*(strategy for _, strategy in FIELDS)), st.sampled_from(ZONES))
def test_times_rise_and_are_never_told_twice(fields: tuple[str, ...], zone: str) -> None:
    for since in (datetime(2026, 3, 28, 20, tzinfo=UTC), datetime(2026, 10, 24, 20, tzinfo=UTC)):
        found = some_times(cron(" ".join(fields), zone), since, 40)
        assert list(found) == sorted(set(found))
        assert all(each > since for each in found)
        # From any of them the next one is the same.
        for one, following in pairwise(found[:11]):
            assert next_time(cron(" ".join(fields), zone), one) == following


def test_once_is_due_once() -> None:
    trigger = Schedules.Trigger(type=Type.ONCE, time=datetime(2026, 1, 2, 4, 4, tzinfo=UTC))
    assert some_times(trigger, NOW, 5) == (datetime(2026, 1, 2, 4, 4, tzinfo=UTC),)
    assert next_time(trigger, datetime(2026, 1, 2, 4, 4, tzinfo=UTC)) is None


@pytest.mark.parametrize(
    ("trigger", "words"),
    [
        (Schedules.Trigger(type=Type.ONCE, time=NOW), "trigger.time: must lie ahead"),
        (cron("* * * *"), "trigger.cron: must have 5 fields"),
        (cron("0 * * * * *"), "trigger.cron: must have 5 fields"),
        (cron("@daily"), "trigger.cron: must have 5 fields"),
        (cron("60 * * * *"), "trigger.cron: Bad minute"),
        (cron("0 0 30 2 *"), "trigger.cron: Bad day-of-month"),
        (cron("0 0 * * " + "1," * 100 + "1"), "trigger.cron: must have 5 fields"),
        (cron("0 0 * * *", "Europe/Atlantis"), "trigger.time_zone: there is no time zone 'Europe/Atlantis'"),
        (cron("0 0 * * *", "../../etc/passwd"), "trigger.time_zone: there is no time zone"),
        (cron("0 0 * * *", "x" * 5000), "trigger.time_zone: there is no time zone"),
        (cron("0 0 * * *", "\x00"), "trigger.time_zone: there is no time zone"),
        (cron("0 0 * * *", "Europe"), "trigger.time_zone: there is no time zone"),
        (cron("0 0 * * *", "posix/UTC"), "trigger.time_zone: there is no time zone"),
        (cron("0 0 * * *", "europe/berlin"), "trigger.time_zone: there is no time zone"),
    ],
)
def test_triggers_that_are_none(trigger: Schedules.Trigger, words: str) -> None:
    with pytest.raises(InvalidArgument) as refusal:
        require_trigger(trigger, NOW)
    assert words in str(refusal.value)
