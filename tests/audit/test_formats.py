"""The lines of `audit.log` and `vpxd.log`, which nothing from outside may break or forge."""

from __future__ import annotations

import re

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resphere.audit.formats import VpxdFormat, json_object
from resphere.audit.record import AuditRecord
from tests.audit.records import LIST_VMS, record

# Every code point, the surrogates too: a path that is not UTF-8 may bring them.
anything = st.text(st.characters(exclude_categories=()), max_size=40)
hostile_records = st.builds(
    lambda path, agent, user, request_id, method: record(
        path=path, user_agent=agent, user=user, request_id=request_id, method=method
    ),
    anything,
    anything,
    st.none() | anything,
    anything,
    anything,
)
VPXD_LINE = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (info|warning|error) vpxd\[\d+\] \[Originator@6876 sub=vapi opID=[!-~]+\]"
    r" API [!-~]+ [!-~]+ user=[!-~]+ operation=[!-~]+ status=\d{3} time_ms=\d+\.\d( error=[!-~]+)?"
)


def vpxd_line(of: AuditRecord) -> str:
    return VpxdFormat(4711).line(of, json_object(of)).decode()


def json_line(of: AuditRecord) -> dict[str, object]:
    return msgspec.json.decode(json_object(of), type=dict[str, object])


class TestVpxd:
    def test_a_call_is_one_line_as_vcenter_writes_it(self) -> None:
        assert vpxd_line(LIST_VMS) == (
            "2026-11-23T11:15:19.123Z info vpxd[4711] [Originator@6876 sub=vapi opID=0f8c2c1e] API GET /api/vcenter/vm"
            " user=administrator@vsphere.local operation=com.vmware.vcenter.VM.list status=200 time_ms=0.4\n"
        )

    @pytest.mark.parametrize(
        ("status", "level"),
        [
            (200, "info"),
            (204, "info"),
            (304, "info"),
            (400, "warning"),
            (404, "warning"),
            (500, "error"),
            (503, "error"),
        ],
    )
    def test_the_level_follows_the_status(self, status: int, level: str) -> None:
        assert f"Z {level} vpxd[" in vpxd_line(record(status=status))

    def test_what_is_unknown_is_a_dash_and_an_error_stands_last(self) -> None:
        refused = record(user=None, operation=None, status=401, error_type="UNAUTHENTICATED")
        assert vpxd_line(refused).endswith("user=- operation=- status=401 time_ms=0.4 error=UNAUTHENTICATED\n")

    def test_a_blank_in_a_value_cannot_pass_for_a_field(self) -> None:
        assert " user=x%20status=200%0A operation=" in vpxd_line(record(user="x status=200\n", status=403))

    def test_a_whole_second_keeps_its_milliseconds(self) -> None:
        assert vpxd_line(record(start_time=LIST_VMS.start_time.replace(microsecond=0))).startswith(
            "2026-11-23T11:15:19.000Z "
        )

    def test_a_loss_is_a_line(self) -> None:
        line = VpxdFormat(4711).loss(LIST_VMS.start_time, 12)
        assert line == (
            b"2026-11-23T11:15:19.123Z error vpxd[4711] [Originator@6876 sub=vapi] 12 records of API calls were lost\n"
        )

    @given(st.lists(hostile_records, max_size=4))
    def test_nothing_breaks_or_forges_a_line(self, records: list[AuditRecord]) -> None:
        lines = "".join(map(vpxd_line, records))
        assert len(lines.splitlines()) == lines.count("\n") == len(records)
        assert all(VPXD_LINE.fullmatch(line) for line in lines.splitlines())


class TestJson:
    def test_a_call_is_one_object_with_every_field_that_applies(self) -> None:
        found = json_line(LIST_VMS)
        assert found == {
            name: value for name in AuditRecord.__struct_fields__ if (value := getattr(LIST_VMS, name)) is not None
        } | {"start_time": "2026-11-23T11:15:19.123456Z"}

    @pytest.mark.parametrize("text", ['"quoted"', "a\nb\r", "\x1b[2J\x7f\x9b", "Ünïcode \u2028 \U0001f600"])
    def test_text_comes_back_as_it_was(self, text: str) -> None:
        assert json_line(record(user_agent=text))["user_agent"] == text

    def test_a_lone_surrogate_is_spelt_out(self) -> None:
        assert json_line(record(path="/\udcff"))["path"] == r"/\udcff"

    @given(st.lists(hostile_records, max_size=4))
    def test_nothing_breaks_or_forges_a_line(self, records: list[AuditRecord]) -> None:
        lines = [json_object(each).decode("ascii") for each in records]
        assert all(line.isprintable() for line in lines)
        read = [msgspec.json.decode(line, type=AuditRecord) for line in lines]
        assert [one.status for one in read] == [one.status for one in records]
