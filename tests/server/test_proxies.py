"""What trusted proxies say of clients, and that nobody else's word is taken."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resphere.dialects.base import Request
from resphere.server.proxies import TrustedProxies, networks
from resphere.server.strict_transport import StrictTransport

PROXY, INNER, CLIENT = "10.0.0.1", "10.0.0.2", "192.0.2.7"
TRUSTED = networks(("10.0.0.0/8", "2001:db8:ffff::/48"))
X = TrustedProxies(TRUSTED)
RFC = TrustedProxies(TRUSTED, "forwarded")


def request(peer: str = PROXY, **headers: str) -> Request:
    named = {name.replace("_", "-").encode(): value.encode() for name, value in headers.items()}
    return Request("GET", "/api", b"", {b"host": b"inner:8443", **named}, peer, "http")


def seen(proxies: TrustedProxies, asked: Request) -> tuple[str, str, str | None]:
    found = proxies.seen_through(asked)
    return found.client, found.scheme, found.header(b"host")


def test_a_trusted_proxy_is_believed() -> None:
    asked = request(x_forwarded_for=CLIENT, x_forwarded_proto="https", x_forwarded_host="vc.example.test")
    assert seen(X, asked) == (CLIENT, "https", "vc.example.test")
    asked = request(forwarded=f'for={CLIENT};proto=HTTPS;host="vc.example.test:443"')
    assert seen(RFC, asked) == (CLIENT, "https", "vc.example.test:443")


def test_nobody_else_is() -> None:
    asked = request("192.0.2.9", x_forwarded_for="1.2.3.4", x_forwarded_proto="https", x_forwarded_host="evil")
    assert X.seen_through(asked) is asked
    assert TrustedProxies(()).seen_through(asked) is asked


def test_what_the_client_wrote_before_its_proxy_is_not_believed() -> None:
    assert seen(X, request(x_forwarded_for=f"1.2.3.4, {CLIENT}"))[0] == CLIENT
    assert seen(X, request(x_forwarded_for=f"10.9.9.9, {CLIENT}, {INNER}"))[0] == CLIENT
    assert seen(RFC, request(forwarded=f"for=1.2.3.4, for={CLIENT}, for={INNER}"))[0] == CLIENT


def test_only_the_headers_that_the_setting_names_are_read() -> None:
    assert seen(X, request(forwarded=f"for={CLIENT};proto=https;host=evil")) == (PROXY, "http", "inner:8443")
    assert seen(RFC, request(x_forwarded_for=CLIENT, x_forwarded_host="evil")) == (PROXY, "http", "inner:8443")


@pytest.mark.parametrize("text", ["unknown", "_hidden", "", "1.2.3", "1.2.3.4.5:80", "[::1", "'; DROP", "999.1.1.1"])
def test_where_no_address_is_told_the_proxy_is_the_client(text: str) -> None:
    assert seen(X, request(x_forwarded_for=text))[0] in (PROXY, "::1")
    assert seen(RFC, request(forwarded=f'for="{text}"'))[0] in (PROXY, "::1")


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("192.0.2.7:4711", CLIENT),
        ("[2001:db8::7]:4711", "2001:db8::7"),
        ("2001:db8::7", "2001:db8::7"),
        ("::ffff:192.0.2.7", CLIENT),
    ],
)
def test_addresses_have_ports_and_brackets(text: str, address: str) -> None:
    assert seen(X, request(x_forwarded_for=text))[0] == address
    assert seen(RFC, request(forwarded=f'for="{text}"'))[0] == address


def test_a_certificate_is_taken_from_a_proxy_alone_and_only_where_it_is_wanted() -> None:
    takes = TrustedProxies(TRUSTED, "x-forwarded", "client-cert")
    asked = request(client_cert=":AAAA:", client_cert_chain=":BBBB:")
    shown = takes.seen_through(asked).certificate
    assert shown is not None
    assert (shown.header, shown.value, shown.chain) == ("client-cert", ":AAAA:", ":BBBB:")
    assert takes.seen_through(request(CLIENT, client_cert=":AAAA:")).certificate is None
    assert X.seen_through(asked).certificate is None
    # As its nearest proxy has it; what stands in another header a client may have written.
    assert takes.seen_through(request(x_ssl_client_cert="x", x_forwarded_client_cert="x")).certificate is None


@given(st.text(), st.text(), st.text())
def test_whatever_is_written_there_the_client_has_an_address(one: str, two: str, three: str) -> None:
    named = {b"x-forwarded-for": one, b"x-forwarded-proto": two, b"x-forwarded-host": three, b"forwarded": one}
    headers = {name: value.encode("utf-8", "surrogatepass") for name, value in named.items()}
    for proxies in (X, RFC):
        found = proxies.seen_through(Request("GET", "/", b"", headers, PROXY, "http"))
        assert found.client
        assert found.scheme in ("http", "https")


@pytest.mark.parametrize(
    ("scheme", "host", "seconds", "there"),
    [
        ("https", "vc.example.test", 60, True),
        ("https", "vc.example.test:8443", 60, True),
        ("http", "vc.example.test", 60, False),
        ("https", "vc.example.test", 0, False),
        ("https", "localhost:8443", 60, False),
        ("https", "vc.localhost", 60, False),
    ],
)
def test_strict_transport_is_asked_for_over_tls_and_not_of_localhost(
    scheme: str, host: str, seconds: int, there: bool
) -> None:
    asked = Request("GET", "/", b"", {b"host": host.encode()}, CLIENT, scheme)
    found = StrictTransport(seconds).headers(asked)
    assert found == (((b"strict-transport-security", b"max-age=60"),) if there else ())
