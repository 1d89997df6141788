"""Kept gzip streams that are ended differently for each request."""

from __future__ import annotations

import gzip
import zlib

from hypothesis import given
from hypothesis import strategies as st

from resphere.dialects.gzip_member import gzip_extended, gzip_member

CONTENT = st.binary(max_size=200) | st.integers(0, 100_000).map(lambda size: b'{"vm":"vm-1"},' * (size // 14))


@given(CONTENT, st.binary(max_size=100))
def test_a_member_is_whole_and_can_be_continued(content: bytes, tail: bytes) -> None:
    member = gzip_member(content)
    assert gzip.decompress(member) == content
    assert gzip.decompress(gzip_extended(member, tail)) == content + tail


def test_it_stays_one_member() -> None:
    """Clients there are that read only the first (httpx)."""
    reader = zlib.decompressobj(wbits=31)
    assert reader.decompress(gzip_extended(gzip_member(b"a" * 5000), b"tail")) == b"a" * 5000 + b"tail"
    assert reader.eof
    assert not reader.unused_data


def test_a_tail_longer_than_a_stored_block() -> None:
    tail = bytes(range(256)) * 1000
    assert gzip.decompress(gzip_extended(gzip_member(b"head"), tail)) == b"head" + tail
