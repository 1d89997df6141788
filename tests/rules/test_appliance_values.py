"""What values of the appliance's settings may be."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resphere.contract.errors import InvalidArgument
from resphere.rules.appliance_values import (
    is_host_name,
    require_address,
    require_host,
    require_port,
    require_range,
)


@pytest.mark.parametrize(
    "text", ["a", "web-1.example.com", "web.example.com.", "3com.example", "192.0.2.1", "2001:db8::1"]
)
def test_hosts(text: str) -> None:
    require_host("host", text)


@pytest.mark.parametrize(
    "text",
    ["", ".", "a..b", "-a", "a-", "a b", "10.0.0.300", "1.2.3", "a" * 64, "x." * 127 + "x", "a\n", "http://a", "::g"],
)
def test_no_hosts(text: str) -> None:
    with pytest.raises(InvalidArgument, match=r"^host: ") as refused:
        require_host("host", text)
    assert refused.value.messages[0].args[0] == "host"


@given(st.from_regex(r"[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?(\.[a-z]{1,10}){0,4}", fullmatch=True))
def test_names_as_dns_has_them(name: str) -> None:
    assert is_host_name(name) is not name.rpartition(".")[2].isdigit()


@given(st.text())
def test_any_text_is_taken_or_refused(text: str) -> None:
    with suppress(InvalidArgument):
        require_host("host", text)


@pytest.mark.parametrize(
    "refuse",
    [
        lambda: require_port("port", 0),
        lambda: require_port("port", 65536),
        lambda: require_address("port", "example.com"),
        lambda: require_range("port", 9, 10, 20),
    ],
)
def test_refusals_name_the_field(refuse: Callable[[], None]) -> None:
    with pytest.raises(InvalidArgument, match=r"^port: "):
        refuse()


def test_what_is_within() -> None:
    require_port("port", 1)
    require_port("port", 65535)
    require_range("days", 10, 10, 20)
    require_address("server", "::1")
