"""Requests that can be read in two ways, that are none, or that mean to reach what they should not: as bytes."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

HIDDEN = b"GET /api/hidden HTTP/1.1\r\nHost: localhost\r\n\r\n"
"""What must never be taken for a request of its own."""


class Case(msgspec.Struct, frozen=True):
    """One of them. ``statuses``: what may be answered, once; nothing at all is as good, with the connection's end."""

    name: str
    content: bytes
    statuses: frozenset[int]


REFUSED = frozenset({400})
UNKNOWN = frozenset({400, 401, 404, 405})


def post(*lines: bytes, body: bytes = b"") -> bytes:
    """A POST with those lines of headers."""
    return b"\r\n".join((b"POST /api/vcenter/vm HTTP/1.1", b"Host: localhost", *lines, b"", b"")) + body


def get(target: bytes, *lines: bytes) -> bytes:
    """A GET of what is between method and version, after which the connection is to end."""
    head = (b"GET " + target + b" HTTP/1.1", b"Host: localhost", b"Connection: close", *lines, b"", b"")
    return b"\r\n".join(head)


CHUNKED = b"Transfer-Encoding: chunked"

LENGTHS = (
    *(b"+5", b"-1", b"0x5", b"5, 6", b"5,5", b"five", b"5.0", b"1e1", b"", b"5 5", b"\x0b5", b"5;", b"'5'"),
    *(b"99999999999999999999999", b"18446744073709551616", b"\xd9\xa5"),
)
CODINGS = (
    *(
        b"identity",
        b"xchunked",
        b"chunked, identity",
        b"chunked, gzip",
        b"chunked;q=1",
        b"",
        b"chunked,",
        b"chunked\x00",
    ),
    *(b"\x0bchunked", b"'chunked'", b"chunk\xc3\xa9d", b"cow"),
)
CHUNKS = (
    *(
        b"0x5\r\nhello\r\n0\r\n\r\n",
        b"-5\r\nhello\r\n0\r\n\r\n",
        b"+5\r\nhello\r\n0\r\n\r\n",
        b"five\r\nhello\r\n0\r\n\r\n",
    ),
    *(
        b"\r\nhello\r\n0\r\n\r\n",
        b"FFFFFFFFFFFFFFFFF\r\nhello\r\n0\r\n\r\n",
        b"5\r\nhelloXX0\r\n\r\n",
        b"5\rhello\r\n0\r\n\r\n",
    ),
    *(b"5\x00\r\nhello\r\n0\r\n\r\n", b"5\nhello\n0\n\n"),
)
LINES = (
    *(
        b"Bad Header: 1",
        b"Bad\x00Header: 1",
        b": 1",
        b"No-Colon",
        b"Bad\tHeader: 1",
        b"Content-Length : 5",
        b" Folded: 1",
    ),
    *(
        b"Fine: 1\r\n folded",
        b"Fine: a\x00b",
        b"Fine: a\rb",
        b"F\xc3\xafne: 1",
        b"(comment): 1",
        b"Transfer-Encoding : chunked",
    ),
)
REQUEST_LINES = (
    *(b"GET /api HTTP/1.2", b"GET /api HTTP/3.0", b"GET /api HTTP/9.9", b"GET /api http/1.1", b"GET /api", b"GET"),
    *(
        b"GET /api HTTP/1.1 x",
        b"GET /a b HTTP/1.1",
        b"G\x00T /api HTTP/1.1",
        b"GET /\x00 HTTP/1.1",
        b"\x16\x03\x01\x02\x00",
    ),
    *(b"G(T /api HTTP/1.1", b"/api GET HTTP/1.1", b"GET /api HTTP/1.1\x00", b"PRI * HTTP/2.1"),
)
PATHS = (
    *(b"/api/../certs/download.zip", b"/api/%2e%2e/certs/download.zip", b"/apiexplorer/../../etc/passwd"),
    *(
        b"/apiexplorer/..%2f..%2fetc%2fpasswd",
        b"/apiexplorer/%2e%2e/%2e%2e/etc/passwd",
        b"/apiexplorer/..\\..\\etc\\passwd",
    ),
    *(b"/apiexplorer/%252e%252e/etc/passwd", b"/apiexplorer/%c0%ae%c0%ae/etc/passwd", b"/apiexplorer/%00", b"/%00"),
    *(b"//etc/passwd", b"/./etc/passwd", b"/guestFile/../resphere.db", b"/ticket/..%2f..%2fsecrets.key", b"/%"),
    *(b"/%zz", b"/%ff%fe", b"/\xff\xfe", b"/api/%0d%0aSet-Cookie:%20a=b", b"/%0d%0aSet-Cookie:%20a=b", b"/?%0d%0aX:1"),
    *(b"/api/vcenter/vm?names=%ff", b"/api/vcenter/vm?%ff=%ff", b"/api/vcenter/vm/%ff", b"http://evil.example/nothing"),
    *(b"/api/nothing;jsessionid=1", b"/api/nothing#x", b"/" + b"a/" * 5000, b"/" + b"%41" * 5000),
)


def cases() -> Iterator[Case]:
    """All of them, each with a request hidden behind it."""
    for length in LENGTHS:
        yield Case(f"length {length!r}", post(b"Content-Length: " + length, body=b"hello" + HIDDEN), REFUSED)
    yield Case("two lengths", post(b"Content-Length: 5", b"Content-Length: 51", body=b"hello" + HIDDEN), REFUSED)
    # The chunks count, and the connection ends with the answer (RFC 9112, 6.1).
    for both in ((b"Content-Length: 5", CHUNKED), (CHUNKED, b"Content-Length: 5")):
        yield Case(f"{both[0]!r} and another", post(*both, body=b"0\r\n\r\n" + HIDDEN), frozenset({400, 401}))
    for coding in CODINGS:
        yield Case(f"coding {coding!r}", post(b"Transfer-Encoding: " + coding, body=b"0\r\n\r\n" + HIDDEN), REFUSED)
    old = post(CHUNKED, body=b"0\r\n\r\n" + HIDDEN).replace(b"HTTP/1.1", b"HTTP/1.0", 1)
    yield Case("chunks in HTTP/1.0", old, REFUSED)
    for chunk in CHUNKS:
        yield Case(f"chunk {chunk!r}", post(CHUNKED, body=chunk + HIDDEN), frozenset({400, 401}))
    for line in LINES:
        yield Case(f"line {line!r}", post(line, b"Content-Length: 0", body=HIDDEN), REFUSED)
    for line in REQUEST_LINES:
        yield Case(f"request {line!r}", line + b"\r\nHost: localhost\r\n\r\n" + HIDDEN, REFUSED)
    for path in PATHS:
        yield Case(f"path {path[:40]!r}", get(path) + HIDDEN, UNKNOWN)
    large = frozenset({400, 414, 431})
    yield Case("a large header", get(b"/api", b"Fine: " + b"x" * 200_000) + HIDDEN, large)
    yield Case("many headers", get(b"/api", *(b"Fine-%d: 1" % number for number in range(1000))) + HIDDEN, large)
    yield Case("a long path", get(b"/" + b"a" * 200_000) + HIDDEN, large)
    yield Case("a long query", get(b"/api?" + b"a" * 200_000) + HIDDEN, large)
    yield Case("a long method", b"G" * 200_000 + b" /api HTTP/1.1\r\nHost: localhost\r\n\r\n" + HIDDEN, large)
    for line in (b"Host: a b", b"Host: a/b", b"Host: a@b", b"Host: <x>"):
        yield Case(f"host {line!r}", get(b"/api").replace(b"Host: localhost", line) + HIDDEN, REFUSED)
    yield Case("two hosts", get(b"/api", b"Host: evil.example") + HIDDEN, REFUSED)
