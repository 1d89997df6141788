"""What is refused before anybody asks what a request means: headers in two ways, hosts that are none, foreign pages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resphere.server.admission import SINGLE, is_host, read_headers, unsound

OWN = b"vcenter.example:8443"
COOKIE = (b"cookie", b"a=b; vmware-api-session-id=0123")


def refused(method: str, *pairs: tuple[bytes, bytes], scheme: str = "https") -> str | None:
    """The id of the refusal of a request with those headers."""
    headers, twice = read_headers(((b"host", OWN), *pairs))
    error = twice or unsound(method, headers, scheme)
    return error.messages[0].id if error else None


@pytest.mark.parametrize("name", sorted(SINGLE))
def test_what_says_one_thing_is_not_given_twice(name: bytes) -> None:
    for values in ((b"1", b"2"), (b"1", b"1")):
        _, refusal = read_headers((name, value) for value in values)
        assert refusal is not None
        assert refusal.messages[0].args == (name.decode(),)


def test_others_are_joined() -> None:
    pairs = [(b"cookie", b"a=1"), (b"accept-encoding", b"br"), (b"cookie", b"b=2"), (b"accept-encoding", b"gzip")]
    headers, refusal = read_headers(pairs)
    assert headers == {b"cookie": b"a=1; b=2", b"accept-encoding": b"br, gzip"}
    assert refusal is None


@pytest.mark.parametrize(
    "host",
    [
        "a",
        "vcenter.example",
        "vcenter.example:443",
        "10.0.0.1:8443",
        "[::1]",
        "[2001:db8::1]:8443",
        "under_score",
        "a.",
    ],
)
def test_hosts(host: str) -> None:
    assert is_host(host.encode())


@pytest.mark.parametrize(
    "host",
    [
        *(" ", "a b", "a/b", "a@b", "user:password@a", "a:", "a:b", "a:123456", "a?b", "a#b", "a\\b", "-a", ".a"),
        *(
            "[::1",
            "::1",
            "[]",
            "[12345::]",
            "[::1]a",
            "a,b",
            'a"',
            "a<b>",
            "é",
            "a%20b",
            "a\r\nb",
            "a:80:80",
            "a" * 255,
        ),
    ],
)
def test_what_is_no_host(host: str) -> None:
    assert not is_host(host.encode())
    assert refused("GET") is None
    error = unsound("GET", {b"host": host.encode()}, "https")
    assert error is not None
    assert error.messages[0].id == "resphere.host_malformed"
    assert not host.strip() or host not in str(error)


@given(st.text(max_size=40))
def test_a_host_can_always_stand_in_an_address(text: str) -> None:
    if is_host(text.encode()):
        assert not set(text) & set('/?#@\\ "<>%\r\n')


FOREIGN = [
    (b"sec-fetch-site", b"cross-site"),
    (b"sec-fetch-site", b"same-site"),
    (b"sec-fetch-site", b""),
    (b"origin", b"https://evil.example"),
    (b"origin", b"http://vcenter.example:8443@evil.example"),
    (b"origin", b"https://vcenter.example:8444"),
    (b"origin", b"https://vcenter.example"),
    (b"origin", b"https://vcenter.example:8443.evil.example"),
    (b"origin", b"null"),
    (b"origin", b""),
]


@pytest.mark.parametrize("said", FOREIGN)
def test_a_foreign_page_changes_nothing_by_cookie(said: tuple[bytes, bytes]) -> None:
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        assert refused(method, COOKIE, said) == "resphere.foreign_page"
    # What it reads a browser keeps from it, and what shows more than a cookie no page can have.
    assert refused("GET", COOKIE, said) is None
    assert refused("POST", COOKIE, (b"vmware-api-session-id", b"0123"), said) is None
    assert refused("POST", COOKIE, (b"authorization", b"Basic YTpi"), said) is None
    assert refused("POST", (b"cookie", b"other=1"), said) is None


@pytest.mark.parametrize(
    "said",
    [
        (b"sec-fetch-site", b"same-origin"),
        (b"sec-fetch-site", b"none"),
        (b"origin", b"https://vcenter.example:8443"),
        (b"origin", b"https://VCENTER.example:8443"),
        (b"accept", b"*/*"),
    ],
)
def test_its_own_page_and_programs_go_on_by_cookie(said: tuple[bytes, bytes]) -> None:
    assert refused("POST", COOKIE, said) is None


def test_the_port_that_goes_without_saying() -> None:
    for host, origin in ((b"a", b"https://a:443"), (b"a:443", b"https://a"), (b"a", b"https://a")):
        assert unsound("POST", dict([COOKIE, (b"host", host), (b"origin", origin)]), "https") is None
    assert unsound("POST", dict([COOKIE, (b"host", b"a"), (b"origin", b"http://a:443")]), "http") is not None
