"""What providers publish is fetched within bounds, from real servers that misbehave."""

from __future__ import annotations

import asyncio
import gzip
import socket
import ssl
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from resphere.auth.oidc.fetching import HttpFetcher, ProviderUnavailable, may_be_asked
from resphere.certificates.files import ensure_certificates
from resphere.certificates.tls import client_context
from tests.support.sources import Behaviour, drips, floods, goes_on_and_on, says, says_nothing, serving

GOOD = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 13\r\n\r\n{"good":true}'


def fetched(
    behaviour: Behaviour, *, seconds: float = 10.0, context: ssl.SSLContext | None = None, ca: str | None = None
) -> Any:
    async def fetch() -> Any:
        async with serving(behaviour, context) as port:
            scheme = "http" if context is None else "https"
            return await HttpFetcher(seconds, 100_000).get(f"{scheme}://127.0.0.1:{port}/x?y=z", ca)

    return asyncio.run(fetch())


def test_a_document() -> None:
    assert fetched(says(GOOD)) == {"good": True}


def test_a_document_in_chunks() -> None:
    chunked = b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\n{"a":1\r\n1\r\n}\r\n0\r\n\r\n'
    assert fetched(says(chunked)) == {"a": 1}


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/\r\n\r\n", "the answer is 302"),
        (b"HTTP/1.1 500 Oops\r\n\r\n{}", "the answer is 500"),
        (b"HTTP/1.1 200 OK\r\n\r\n", "truncated"),
        (b"HTTP/1.1 200 OK\r\n\r\n" + b"[" * 50_000, "127.0.0.1"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{}", "without sending complete message body"),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + gzip.compress(b"{}", mtime=0), "127.0.0.1"),
        (b"", "disconnected without sending a response"),
        (b"SSH-2.0-OpenSSH\r\n", "disconnected without sending a response"),
        (b"SSH-2.0-OpenSSH\r\n\r\n", "SSH-2.0"),
        (b"HTTP/1.1 101 Switching Protocols\r\n\r\n{}", "SWITCH_UPGRADE"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}", "conflicting Content-Length"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 200_000 + b"\r\n\r\n{}", "too long"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n{}", "more than 100 headers"),
    ],
)
def test_what_is_no_document(answer: bytes, why: str) -> None:
    with pytest.raises(ProviderUnavailable, match=why):
        fetched(says(answer))


@pytest.mark.parametrize("behaviour", [says_nothing, drips, goes_on_and_on])
def test_who_takes_too_long_is_left(behaviour: Behaviour) -> None:
    with pytest.raises(ProviderUnavailable, match="no answer within"):
        fetched(behaviour, seconds=0.2)


def test_who_sends_too_much_is_left() -> None:
    with pytest.raises(ProviderUnavailable, match="more than 100000 bytes"):
        fetched(floods)


def test_proxies_of_the_environment_are_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert fetched(says(GOOD)) == {"good": True}


def test_what_is_asked() -> None:
    heads: list[bytes] = []

    async def keeps(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(GOOD)
        await writer.drain()

    assert fetched(keeps) == {"good": True}
    (head,) = heads
    assert head.startswith(b"GET /x?y=z HTTP/1.1\r\nHost: 127.0.0.1:")
    assert head.lower().count(b"\r\nhost:") == 1
    assert b"Accept-Encoding: identity\r\n" in head


def test_a_name_is_looked_up_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name server that answers with another address each time leads nowhere else than to what was checked."""
    asked: list[Any] = []
    real = socket.getaddrinfo

    def look_up(host: Any, *others: Any, **named: Any) -> Any:
        if host != "localhost":
            return real(host, *others, **named)
        asked.append(host)
        return real("127.0.0.1" if len(asked) == 1 else "169.254.169.254", *others, **named)

    async def fetch() -> Any:
        async with serving(says(GOOD)) as port:
            monkeypatch.setattr(socket, "getaddrinfo", look_up)
            fetcher = HttpFetcher(10.0, 100_000)
            assert await fetcher.get(f"http://localhost:{port}/", None) == {"good": True}
            with pytest.raises(ProviderUnavailable, match="where no identity provider can be"):
                await fetcher.get(f"http://localhost:{port}/", None)

    asyncio.run(fetch())
    assert asked == ["localhost", "localhost"]


def test_old_tls_is_not_spoken() -> None:
    context = client_context(None)
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname


def test_certificates_are_checked(tmp_path: Path) -> None:
    files = ensure_certificates(tmp_path / "one", ("127.0.0.1",), lambda: datetime.now(UTC))
    other = ensure_certificates(tmp_path / "other", (), lambda: datetime.now(UTC))
    assert files.ca_certificate is not None
    assert other.ca_certificate is not None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(files.certificate, files.key)
    assert fetched(says(GOOD), context=context, ca=files.ca_certificate.read_text()) == {"good": True}
    for ca in (other.ca_certificate.read_text(), None):
        with pytest.raises(ProviderUnavailable, match="certificate verify failed"):
            fetched(says(GOOD), context=context, ca=ca)


@pytest.mark.parametrize(
    "address",
    [
        "http://idp.example.com/",
        "file:///etc/passwd",
        "ftp://idp.example.com/",
        "https://169.254.169.254/latest/meta-data/",
        "https://[fe80::1]/",
        "https://[::ffff:169.254.169.254]/",
        "https://0.0.0.0/",
        "https://224.0.0.1/",
        "https://user@idp.example.com/",
        "https://idp.example.com:0x50/",
        "https://",
    ],
)
def test_addresses_that_are_never_asked(address: str) -> None:
    with pytest.raises(ProviderUnavailable):
        asyncio.run(HttpFetcher().get(address, None))


def test_where_providers_can_be() -> None:
    assert all(may_be_asked(each) for each in ("127.0.0.1", "::1", "10.0.0.1", "192.168.1.1", "203.0.114.1", "fd00::1"))
