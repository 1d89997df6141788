"""What is fetched, from real servers: bounded, checked at each hop, and refused in words."""

from __future__ import annotations

import asyncio
import hashlib
import socket
import ssl
from collections.abc import Callable
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from resphere.certificates.files import TlsFiles
from resphere.certificates.tls import no_roots
from resphere.fetching.allowed import read_rules
from resphere.fetching.errors import (
    BadAddress,
    BadAnswer,
    FetchError,
    NotAllowed,
    Refused,
    TimedOut,
    TooLarge,
    Unreachable,
    Untrusted,
)
from resphere.fetching.fetcher import Bounds, Credentials, Fetcher, Wanted
from resphere.fetching.trust import Trust, thumbprint_of
from resphere.tracing.context import TRACE, Trace
from tests.support.sources import (
    Behaviour,
    certificate_files,
    drips,
    floods,
    goes_on_and_on,
    hangs_in_the_middle,
    says,
    says_nothing,
    secured,
    serving,
)

GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nimage"
LOCAL = ("127.0.0.1", "localhost")
MOST = 100_000


async def content_of(fetcher: Fetcher, wanted: Wanted) -> bytes:
    async with fetcher.fetch(wanted) as answer:
        return b"".join([piece async for piece in answer])


def fetched(
    behaviour: Behaviour,
    *,
    context: ssl.SSLContext | None = None,
    rules: tuple[str, ...] = LOCAL,
    roots: Callable[[], str] = no_roots,
    bounds: Bounds | None = None,
    **wanted: Any,
) -> bytes:
    async def fetch() -> bytes:
        async with serving(behaviour, context) as port:
            scheme = "http" if context is None else "https"
            address = f"{scheme}://127.0.0.1:{port}/a%20b/x.iso?y=z"
            return await content_of(
                Fetcher(read_rules(rules), roots, bounds or Bounds()), Wanted(address, MOST, **wanted)
            )

    return asyncio.run(fetch())


def keeps(heads: list[bytes], answer: bytes = GOOD) -> Behaviour:
    """Answers, and keeps how it was asked."""

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(answer)
        await writer.drain()

    return behave


# --- what comes ------------------------------------------------------------------------------------------------------


def test_what_is_asked_and_what_comes() -> None:
    heads: list[bytes] = []
    assert fetched(keeps(heads), credentials=Credentials("me", "päss")) == b"image"
    (head,) = heads
    assert head.startswith(b"GET /a%20b/x.iso?y=z HTTP/1.1\r\nHost: 127.0.0.1:")
    assert head.lower().count(b"\r\nhost:") == 1
    assert b"Accept-Encoding: identity\r\n" in head
    assert b"Authorization: Basic bWU6cMOkc3M=\r\n" in head
    assert b"traceparent" not in head


def test_the_trace_of_the_call_goes_along() -> None:
    heads: list[bytes] = []
    trace = Trace("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "rojo=1")
    going_on = TRACE.set(trace)
    assert fetched(keeps(heads)) == b"image"
    TRACE.reset(going_on)
    assert f"\r\ntraceparent: {trace.parent}\r\n".encode() in heads[0]
    assert b"\r\ntracestate: rojo=1\r\n" in heads[0]


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nim\r\n3\r\nage\r\n0\r\n\r\n",
        b"HTTP/1.0 200 OK\r\n\r\nimage",
        GOOD + b" and more than was announced",
    ],
)
def test_other_ways_to_send(answer: bytes) -> None:
    assert fetched(says(answer)) == b"image"


def test_only_what_is_new() -> None:
    heads: list[bytes] = []

    async def ask() -> None:
        changed = b'HTTP/1.1 200 OK\r\nETag: "2"\r\nLast-Modified: yesterday\r\nContent-Length: 1\r\n\r\nx'
        fetcher = Fetcher(read_rules(LOCAL))
        async with serving(keeps(heads, b"HTTP/1.1 304 Not Modified\r\n\r\n")) as port:
            address = f"http://127.0.0.1:{port}/"
            async with fetcher.fetch(Wanted(address, MOST, etag='"1"', last_modified="today")) as answer:
                assert not answer.is_new
                assert answer.size_bytes == 0
                assert [piece async for piece in answer] == []
            with pytest.raises(Refused, match="304"):
                await content_of(fetcher, Wanted(address, MOST))
        async with (
            serving(says(changed)) as port,
            fetcher.fetch(Wanted(f"http://127.0.0.1:{port}/", MOST, etag='"1"')) as answer,
        ):
            assert (answer.is_new, answer.etag, answer.last_modified) == (True, '"2"', "yesterday")

    asyncio.run(ask())
    assert b'If-None-Match: "1"\r\nIf-Modified-Since: today\r\n' in heads[0]


@pytest.mark.parametrize(
    ("answer", "kind", "why"),
    [
        (b"HTTP/1.1 404 No\r\n\r\n", Refused, "status 404"),
        (b"HTTP/1.1 206 Partial\r\nContent-Length: 1\r\n\r\nx", Refused, "status 206"),
        (b"HTTP/1.1 302 Found\r\n\r\n", Refused, "status 302"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nimage", BadAnswer, "without sending complete"),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx", BadAnswer, "encoded"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100001\r\n\r\nx", TooLarge, "more than 100000 bytes"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nxy", BadAnswer, "Content-Length"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nx", BadAnswer, "Content-Length"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n", BadAnswer, "more than 100 headers"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 200_000 + b"\r\n\r\n", BadAnswer, "too long"),
        (b"HTTP/1.1 101 Switching Protocols\r\n\r\n", BadAnswer, "SWITCH"),
        (b"SSH-2.0-OpenSSH\r\n\r\n", BadAnswer, "cannot be used"),
        (b"", BadAnswer, "disconnected"),
    ],
)
def test_answers_that_are_no_file(answer: bytes, kind: type[FetchError], why: str) -> None:
    with pytest.raises(kind, match=why):
        fetched(says(answer))


# --- bounds ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("behaviour", [says_nothing, drips, goes_on_and_on])
def test_who_begins_no_answer_is_left(behaviour: Behaviour) -> None:
    with pytest.raises(TimedOut, match=r"nothing for 0\.2 seconds"):
        fetched(behaviour, bounds=Bounds(head_seconds=0.2))


def test_who_stops_in_the_middle_is_left() -> None:
    with pytest.raises(TimedOut, match=r"nothing for 0\.2 seconds"):
        fetched(hangs_in_the_middle, bounds=Bounds(idle_seconds=0.2))


def test_who_goes_on_for_too_long_is_left() -> None:
    async def trickles(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while not reader.at_eof():
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.01)

    with pytest.raises(TimedOut, match=r"everything within 0\.3 seconds"):
        fetched(trickles, bounds=Bounds(whole_seconds=0.3))


def test_who_never_ends_is_left_at_the_most_bytes() -> None:
    with pytest.raises(TooLarge, match="more than 100000 bytes"):
        fetched(floods)


def test_who_does_not_take_the_connection() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        port = silent.getsockname()[1]
        with pytest.raises(Unreachable, match="nobody listens there"):
            asyncio.run(content_of(Fetcher(read_rules(LOCAL)), Wanted(f"http://127.0.0.1:{port}/", MOST)))


@pytest.mark.parametrize("way", ["canceled", "timed out"])
def test_a_connection_that_is_given_up_in_its_handshake_is_closed(way: str) -> None:
    """Nothing of it is left to be collected, which would be a warning."""
    heard = asyncio.Event()

    async def listens(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        heard.set()
        await reader.read()
        closed.set()

    closed = asyncio.Event()

    async def fetch() -> None:
        async with serving(listens) as port:
            seconds = 60.0 if way == "canceled" else 0.2
            fetcher = Fetcher(read_rules(LOCAL), no_roots, Bounds(head_seconds=seconds))
            task = asyncio.create_task(content_of(fetcher, Wanted(f"https://127.0.0.1:{port}/", MOST)))
            await heard.wait()
            if way == "canceled":
                task.cancel()
            with pytest.raises((asyncio.CancelledError, TimedOut)):
                await task
            await asyncio.wait_for(closed.wait(), 30)

    asyncio.run(fetch())


def test_a_handshake_that_does_not_end() -> None:
    async def fetch() -> None:
        async with serving(says_nothing) as port:
            fetcher = Fetcher(read_rules(LOCAL), no_roots, Bounds(connect_seconds=0.2))
            await content_of(fetcher, Wanted(f"https://127.0.0.1:{port}/", MOST))

    with pytest.raises(Unreachable, match="no connection in time"):
        asyncio.run(fetch())


# --- where ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "kind", "why"),
    [
        ("ftp://127.0.0.1/x", BadAddress, "http:// or https://"),
        ("file:///etc/passwd", BadAddress, "http:// or https://"),
        ("/etc/passwd", BadAddress, "http:// or https://"),
        ("http://me:secret@127.0.0.1/", BadAddress, "password"),
        ("http:///x", BadAddress, "no host"),
        ("http://127.0.0.1:0/", BadAddress, "no port"),
        ("http://127.0.0.1:99999/", BadAddress, "Port"),
        ("http://[::1/", BadAddress, "IPv6"),
        ("http://" + "x" * 5000, BadAddress, "4096"),
        ("http://169.254.169.254/latest/", NotAllowed, "--fetch-from"),
        ("http://[::ffff:169.254.169.254]/", NotAllowed, "--fetch-from"),
        ("http://10.0.0.1/", NotAllowed, "10.0.0.1: its operator"),
        ("http://0xa9fea9fe/", NotAllowed, "--fetch-from"),
    ],
)
def test_where_is_not_fetched_from(address: str, kind: type[FetchError], why: str) -> None:
    with pytest.raises(kind, match=why):
        asyncio.run(content_of(Fetcher(read_rules(LOCAL)), Wanted(address, MOST)))


def test_nothing_is_allowed_by_itself() -> None:
    heads: list[bytes] = []
    with pytest.raises(NotAllowed, match="by the setting --fetch-from"):
        fetched(keeps(heads), rules=())
    assert heads == []


def test_proxies_of_the_environment_are_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert fetched(says(GOOD)) == b"image"


def test_a_name_is_looked_up_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name server that answers with another address each time leads nowhere else than to what was checked."""
    asked: list[Any] = []
    real = socket.getaddrinfo

    def look_up(host: Any, *others: Any, **named: Any) -> Any:
        if host != "mirror.example.com":
            return real(host, *others, **named)
        asked.append(host)
        return real("127.0.0.1" if len(asked) == 1 else "169.254.169.254", *others, **named)

    async def fetch() -> None:
        fetcher = Fetcher(read_rules(("127.0.0.0/8",)))
        async with serving(says(GOOD)) as port:
            monkeypatch.setattr(socket, "getaddrinfo", look_up)
            wanted = Wanted(f"http://mirror.example.com:{port}/", MOST)
            assert await content_of(fetcher, wanted) == b"image"
            with pytest.raises(NotAllowed):
                await content_of(fetcher, wanted)
            # What no rule can mean tells nobody's name server anything.
            with pytest.raises(NotAllowed):
                await content_of(Fetcher(read_rules(("127.0.0.1:1",))), wanted)

    asyncio.run(fetch())
    assert asked == ["mirror.example.com", "mirror.example.com"]


def test_another_address_of_a_name_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    real = socket.getaddrinfo

    def look_up(host: Any, *others: Any, **named: Any) -> Any:
        if host != "mirror.example.com":
            return real(host, *others, **named)
        return [*real("127.0.0.2", *others, **named), *real("127.0.0.1", *others, **named)]

    async def fetch() -> bytes:
        async with serving(says(GOOD)) as port:
            monkeypatch.setattr(socket, "getaddrinfo", look_up)
            return await content_of(
                Fetcher(read_rules(("127.0.0.0/8",))), Wanted(f"http://mirror.example.com:{port}/", MOST)
            )

    assert asyncio.run(fetch()) == b"image"


# --- redirects --------------------------------------------------------------------------------------------------------


def redirects(to: str, status: int = 302) -> Behaviour:
    return says(f"HTTP/1.1 {status} Moved\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n".encode())


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_followed(status: int) -> None:
    """Credentials go no further than to whom they are for."""
    heads: list[bytes] = []

    async def fetch() -> bytes:
        async with serving(keeps(heads)) as last, serving(redirects(f"http://localhost:{last}/b", status)) as first:
            wanted = Wanted(f"http://127.0.0.1:{first}/a", MOST, credentials=Credentials("me", "secret"))
            return await content_of(Fetcher(read_rules(LOCAL)), wanted)

    assert asyncio.run(fetch()) == b"image"
    assert heads[0].startswith(b"GET /b ")
    assert b"Authorization" not in heads[0]


@pytest.mark.parametrize(
    ("to", "kind", "why"),
    [
        ("/again", BadAnswer, "more than 5 redirects"),
        ("http://169.254.169.254/latest/meta-data/", NotAllowed, "169.254.169.254: its operator"),
        ("http://127.0.0.2/", NotAllowed, "127.0.0.2"),
        ("//10.0.0.1/", NotAllowed, "10.0.0.1"),
        ("file:///etc/passwd", BadAddress, "http://"),
        ("http://me:secret@127.0.0.1/", BadAddress, "password"),
    ],
)
def test_redirects_that_are_not_followed(to: str, kind: type[FetchError], why: str) -> None:
    with pytest.raises(kind, match=why):
        fetched(redirects(to))


# --- certificates -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> TlsFiles:
    return certificate_files(tmp_path_factory.mktemp("one"))


@pytest.fixture(scope="module")
def others(tmp_path_factory: pytest.TempPathFactory) -> TlsFiles:
    return certificate_files(tmp_path_factory.mktemp("other"))


def der(files: TlsFiles) -> bytes:
    return x509.load_pem_x509_certificates(files.certificate.read_bytes())[0].public_bytes(Encoding.DER)


def ca(files: TlsFiles) -> str:
    assert files.ca_certificate is not None
    return files.ca_certificate.read_text()


def pin(files: TlsFiles) -> str:
    return ssl.DER_cert_to_PEM_cert(der(files))


def test_authorities_vouch(files: TlsFiles, others: TlsFiles) -> None:
    tls = secured(files)
    assert fetched(says(GOOD), context=tls, trust=Trust(authorities=ca(files))) == b"image"
    assert fetched(says(GOOD), context=tls, roots=lambda: ca(files)) == b"image"
    for trust in (Trust(), Trust(authorities=ca(others))):
        with pytest.raises(Untrusted, match=r"unable to get local issuer|self-signed"):
            fetched(says(GOOD), context=tls, trust=trust)


def test_the_name_is_checked(files: TlsFiles) -> None:
    async def fetch() -> None:
        async with serving(says(GOOD), secured(files)) as port:
            wanted = Wanted(f"https://127.0.0.3:{port}/", MOST, Trust(authorities=ca(files)))
            await content_of(Fetcher(read_rules(("127.0.0.0/8",))), wanted)

    real = asyncio.start_server

    async def anywhere(client: Any, host: Any, port: Any, **named: Any) -> Any:
        return await real(client, "127.0.0.3", port, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(asyncio, "start_server", anywhere)
        with pytest.raises(Untrusted, match="mismatch"):
            asyncio.run(fetch())


def test_pins(files: TlsFiles) -> None:
    tls, shown = secured(files), der(files)
    for thumbprint in (
        thumbprint_of(shown),
        thumbprint_of(shown, "sha256"),
        hashlib.sha1(shown, usedforsecurity=False).hexdigest(),
    ):
        assert fetched(says(GOOD), context=tls, trust=Trust(thumbprint=thumbprint)) == b"image"
    assert fetched(says(GOOD), context=tls, trust=Trust(certificate=pin(files))) == b"image"
    both = Trust(certificate=pin(files), thumbprint=thumbprint_of(shown))
    assert fetched(says(GOOD), context=tls, trust=both) == b"image"


def test_another_certificate_hears_nothing(files: TlsFiles, others: TlsFiles) -> None:
    """Not even the credentials: it is compared before anything is sent."""
    heads: list[bytes] = []
    for trust in (
        Trust(thumbprint=thumbprint_of(der(files))),
        Trust(thumbprint=thumbprint_of(der(files), "sha256")),
        Trust(certificate=pin(files)),
        Trust(certificate=pin(files), thumbprint=thumbprint_of(der(others))),
    ):
        with pytest.raises(Untrusted, match="another one than the one that was given"):
            fetched(keeps(heads), context=secured(others), trust=trust, credentials=Credentials("me", "secret"))
    assert heads == []


@pytest.mark.parametrize(
    "trust",
    [Trust(thumbprint=""), Trust(thumbprint="00:11"), Trust(thumbprint="zz" * 20), Trust(certificate="no PEM")],
)
def test_pins_that_are_none(trust: Trust) -> None:
    with pytest.raises(BadAddress):
        fetched(says(GOOD), trust=trust)


def test_authorities_are_read_once_for_many_files(files: TlsFiles) -> None:
    read: list[str] = []

    def roots() -> str:
        read.append("read")
        return ca(files)

    async def scenario() -> None:
        async with serving(says(GOOD), secured(files)) as port:
            fetcher = Fetcher(read_rules(LOCAL), roots)
            for _ in range(3):
                async with fetcher.fetch(Wanted(f"https://127.0.0.1:{port}/", MOST)) as answer:
                    assert [piece async for piece in answer] == [b"image"]

    asyncio.run(scenario())
    assert read == ["read"]


def test_authorities_that_are_none(files: TlsFiles) -> None:
    with pytest.raises(BadAddress, match="PEM"):
        fetched(says(GOOD), context=secured(files), trust=Trust(authorities="no PEM"))


def test_a_redirect_does_not_leave_tls(files: TlsFiles) -> None:
    with pytest.raises(BadAddress, match="from https to http"):
        fetched(redirects("http://127.0.0.1/"), context=secured(files), trust=Trust(certificate=pin(files)))


def test_a_pin_is_for_its_host_alone(files: TlsFiles) -> None:
    async def fetch() -> None:
        tls = secured(files)
        async with serving(says(GOOD), tls) as last, serving(redirects(f"https://localhost:{last}/"), tls) as first:
            wanted = Wanted(f"https://127.0.0.1:{first}/", MOST, Trust(certificate=pin(files)))
            await content_of(Fetcher(read_rules(LOCAL)), wanted)

    with pytest.raises(Untrusted, match="localhost"):
        asyncio.run(fetch())


def test_which_certificate_is_shown(files: TlsFiles) -> None:
    async def look() -> bytes:
        fetcher = Fetcher(read_rules(LOCAL))
        async with serving(says(GOOD), secured(files)) as port:
            with pytest.raises(NotAllowed):
                await fetcher.certificate(f"https://127.0.0.2:{port}/")
            with pytest.raises(BadAddress):
                await fetcher.certificate(f"http://127.0.0.1:{port}/")
            return await fetcher.certificate(f"https://127.0.0.1:{port}/")

    assert asyncio.run(look()) == der(files)


def test_plain_http_shows_none() -> None:
    async def look() -> None:
        async with serving(floods) as port:
            await Fetcher(read_rules(LOCAL)).certificate(f"https://127.0.0.1:{port}/")

    with pytest.raises(Unreachable):
        asyncio.run(look())
