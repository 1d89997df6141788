"""Which dialect a request is written in."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from resphere.contract.catalogue import Catalogue
from resphere.dialects.api import ApiDialect
from resphere.dialects.base import Request
from resphere.dialects.rest import RestDialect
from resphere.dialects.table import Dialects, Line, dialects

LIMIT_BYTES = 1000
DIALECTS = dialects(Catalogue(), LIMIT_BYTES, lambda: datetime(2026, 1, 1, tzinfo=UTC))


def spoken(all_dialects: Dialects, method: str, path: str) -> str:
    """The dialect's name."""
    return all_dialects.of(Request(method, path, b"", {}, "192.0.2.1")).name


@pytest.mark.parametrize(
    ("method", "path", "name"),
    [
        ("GET", "/api", "api"),
        ("HEAD", "/api/", "api"),
        ("POST", "/api", "jsonrpc"),
        ("POST", "/api/", "jsonrpc"),
        ("POST", "//api", "jsonrpc"),
        ("DELETE", "/api", "jsonrpc"),
        ("POST", "/sts/STSService", "sts"),
        ("POST", "/sts/STSService/vsphere.local", "sts"),
        ("POST", "/sts", "api"),
        ("OPTIONS", "/api", "jsonrpc"),
        ("POST", "/api/session", "api"),
        ("GET", "/api/vcenter/vm", "api"),
        ("POST", "/apis", "api"),
        ("GET", "/rest", "rest"),
        ("GET", "/rest/", "rest"),
        ("GET", "//rest//vcenter/vm", "rest"),
        ("POST", "/rest/com/vmware/cis/session", "rest"),
        ("GET", "/restless", "api"),
        ("GET", "/certs/download.zip", "api"),
        ("GET", "/", "api"),
        ("GET", "", "api"),
    ],
)
def test_where_each_is_spoken(method: str, path: str, name: str) -> None:
    assert spoken(DIALECTS, method, path) == name


def test_the_first_line_that_takes_a_request_has_it() -> None:
    below, whole, rest = ApiDialect(()), ApiDialect(()), RestDialect(())
    table = Dialects(Line("sdk/vim25", below), Line("sdk", rest), Line("", whole))
    found = [table.of(Request("POST", path, b"", {}, "")) for path in ("/sdk/vim25/8.0", "/sdk/vim25", "/sdk", "/x")]
    assert found[0] is below
    assert found[1] is below
    assert found[2] is rest
    assert found[3] is whole


@pytest.mark.parametrize("last", [Line("api", ApiDialect(())), Line("", ApiDialect(()), except_for=frozenset({"PUT"}))])
def test_a_table_that_leaves_requests_without_a_dialect_is_refused(last: Line) -> None:
    with pytest.raises(ValueError, match="not every request"):
        Dialects(Line("rest", RestDialect(())), last)


def test_a_dialect_that_would_hide_those_after_it_is_refused() -> None:
    with pytest.raises(ValueError, match="only the last"):
        Dialects(Line("", ApiDialect(())), Line("rest", RestDialect(())), Line("", ApiDialect(())))
