"""Kept replies: of one revision, bounded, and compressed only for those who like that."""

from __future__ import annotations

import gzip

import pytest

from resphere.dialects.base import Reply
from resphere.server.kept import Kept, accepts_gzip, compressed
from resphere.server.reply_headers import response_headers

ONE, TWO = Reply(200, b"one"), Reply(200, b"two")


def test_a_new_revision_drops_the_old_replies() -> None:
    kept = Kept()
    kept.put(("a",), 1, ONE)
    kept.put(("b",), 1, TWO)
    assert body_of(kept.get(("a",), 1)) == b"one"
    assert kept.get(("a",), 2) is None
    kept.put(("c",), 2, TWO)
    assert kept.get(("a",), 1) is kept.get(("b",), 2) is None
    assert body_of(kept.get(("c",), 2)) == b"two"


def body_of(reply: Reply | None) -> bytes:
    assert reply is not None
    return reply.body


def test_what_is_kept_has_its_headers_as_they_would_be_sent_anyway() -> None:
    kept = Kept()
    for reply in (
        ONE,
        Reply(200, b"[]", "application/json", (("ETag", '"1"'), ("Cache-Control", "private, no-cache"))),
    ):
        kept.put(("a",), 1, reply)
        again = kept.get(("a",), 1)
        assert again is not None
        assert again.sent_headers is not None
        assert response_headers(again, "1", sized=True) == response_headers(reply, "1", sized=True)


def test_the_size_is_bounded() -> None:
    kept = Kept(limit_bytes=10_000)
    for number in range(100):
        kept.put((number,), 1, Reply(200, b"x" * 1000))
    assert 0 < sum(kept.get((number,), 1) is not None for number in range(100)) < 10
    kept.put(("large",), 1, Reply(200, b"x" * 10_001))
    assert kept.get(("large",), 1) is None


def test_long_keys_of_small_replies_count() -> None:
    kept = Kept(limit_bytes=10_000)
    for number in range(100):
        kept.put(("list", ("/path", b"names=%d" % number + b"x" * 1000)), 1, Reply(200, b"[]"))
    assert sum(kept.get(("list", ("/path", b"names=%d" % n + b"x" * 1000)), 1) is not None for n in range(100)) < 10


@pytest.mark.parametrize(
    ("header", "accepted"),
    [
        (None, False),
        (b"", False),
        (b"gzip", True),
        (b"GZIP", True),
        (b"deflate, gzip;q=0.1, br", True),
        (b" gzip ; q=1", True),
        (b"gzip;q=0", False),
        (b"gzip; q=0.000", False),
        (b"xgzip", False),
        (b"gzip-stream, identity", False),
        (b"\xff,gzip", True),
    ],
)
def test_who_likes_gzip(header: bytes | None, accepted: bool) -> None:
    assert accepts_gzip(header) is accepted


def test_compression() -> None:
    large = Reply(200, b"x" * 5000, "application/json", (("ETag", '"1"'),))
    packed = compressed(large)
    assert gzip.decompress(packed.body) == large.body
    assert packed.headers == (("ETag", '"1"'), ("Content-Encoding", "gzip"))
    small = Reply(200, b"x" * 1000)
    assert compressed(small) is small
