"""Answers that are spoiled on their way: what is sent, piece by piece."""

from __future__ import annotations

import asyncio

import pytest

from resphere.contract.model import WholeBytes
from resphere.dialects.base import Reply
from resphere.server.exchange import Spoiled
from resphere.server.spoiling import SpoiledBody, page, with_spoiled_body, without_body


def sent(reply: Reply) -> tuple[list[bytes], int | None]:
    """The pieces of a body, and how long it is said to be."""

    async def pieces() -> list[bytes]:
        assert reply.stream is not None
        found = [piece async for piece in reply.stream]
        await reply.stream.close()
        return found

    return asyncio.run(pieces()), reply.size_bytes


async def cut(sent_bytes: int) -> None:
    CUTS.append(sent_bytes)


CUTS: list[int] = []


@pytest.mark.parametrize(("body", "half"), [(b"", b""), (b"x", b""), (b"ab", b"a"), (b"abcde", b"ab")])
@pytest.mark.parametrize("streamed", [False, True])
def test_half_of_a_body(body: bytes, half: bytes, streamed: bool) -> None:
    CUTS.clear()
    reply = Reply(200, stream=WholeBytes(body)) if streamed else Reply(200, body)
    pieces, size = sent(with_spoiled_body(Spoiled(truncated=True), reply, cut))
    assert (b"".join(pieces), size, CUTS) == (half, len(body), [len(half)])


@pytest.mark.parametrize("rate", [1_000_000, 10_000_000])
def test_a_slow_body_is_whole(rate: int) -> None:
    body = bytes(range(256)) * 1000
    pieces, size = sent(with_spoiled_body(Spoiled(bytes_per_second=rate), Reply(200, body), cut))
    assert (b"".join(pieces), size) == (body, len(body))
    assert max(map(len, pieces)) <= rate // 10


def test_a_body_as_it_is() -> None:
    reply = Reply(200, b"whole")
    assert with_spoiled_body(Spoiled(page_status=502), reply, cut) is reply


@pytest.mark.parametrize("reply", [Reply(204), Reply(200, b"body"), Reply(200, stream=WholeBytes(b"body"))])
def test_nothing_but_the_headers(reply: Reply) -> None:
    """Where a connection cannot be closed before: less comes than was told."""
    spoiled = without_body(reply)
    pieces, size = sent(spoiled)
    assert pieces == []
    assert size is not None
    assert size > 0
    assert spoiled.status == (200 if reply.size_bytes else 502)


def test_pages_of_a_proxy() -> None:
    assert b"<h1>502 Bad Gateway</h1>" in page(502, None).body
    assert page(503, 7).headers == (("Retry-After", "7"),)
    assert b"599 Unknown Error" in page(599, None).body


def test_a_stream_is_let_go_of() -> None:
    closed = []

    class Stream(WholeBytes, frozen=True):
        async def close(self) -> None:
            closed.append(True)

    asyncio.run(SpoiledBody(Reply(200, stream=Stream(b"x")), None, None).close())
    assert closed == [True]
