"""Streams that a password seals: they open whole, or not at all."""

from __future__ import annotations

from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resphere.recovery import sealed
from resphere.recovery.sealed import HEAD, OpenedSource, SealError, SealingSink, WrongPassword, is_sealed

PASSWORD = "Keeps-1-Thing"


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small chunks, and a key that is found at once."""
    monkeypatch.setattr(sealed, "LOG2_COST", 1)
    monkeypatch.setattr(sealed, "CHUNK_BYTES", 64)


def seal(content: bytes, pieces: int = 50, seed: bytes = b"r") -> bytes:
    to = BytesIO()
    sink = SealingSink(to, PASSWORD, lambda size: seed * size)
    for begin in range(0, len(content), pieces):
        sink.write(content[begin : begin + pieces])
    sink.finish()
    return to.getvalue()


def opened(content: bytes, password: str = PASSWORD, size: int = 100) -> bytes:
    source = OpenedSource(BytesIO(content), password)
    return b"".join(iter(lambda: source.read(size), b""))


@given(st.binary(max_size=400), st.integers(1, 200), st.integers(1, 200))
def test_what_is_sealed_opens(content: bytes, pieces: int, size: int) -> None:
    found = seal(content, pieces)
    assert is_sealed(found)
    assert opened(found, size=size) == content
    assert OpenedSource(BytesIO(found), PASSWORD).read() == content


@settings(max_examples=300)
@given(st.data(), st.sampled_from((0, 10, 64, 65, 128, 200)))
def test_a_single_bit_that_is_another_is_found(data: st.DataObject, size: int) -> None:
    found = bytearray(seal(bytes(range(200))[:size]))
    at = data.draw(st.integers(0, len(found) - 1))
    found[at] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(SealError):
        opened(bytes(found))


@given(st.integers(0, 300))
def test_one_that_is_cut_off_does_not_open(length: int) -> None:
    found = seal(bytes(200))
    with pytest.raises(SealError):
        opened(found[: min(length, len(found) - 1)])


def test_chunks_in_another_order_or_of_another_stream_do_not_open() -> None:
    first, second = seal(bytes(range(200))), seal(bytes(range(200)), seed=b"s")
    chunk = 64 + 16
    head, a, b, rest = first[: HEAD.size], *(first[HEAD.size + chunk * n :][:chunk] for n in range(2)), b""
    rest = first[HEAD.size + 2 * chunk :]
    for wrong in (head + b + a + rest, head + a + a + rest, head + a + rest, first + rest, head + second[HEAD.size :]):
        with pytest.raises(SealError):
            opened(wrong)


def test_a_wrong_password_is_told_from_damage() -> None:
    with pytest.raises(WrongPassword):
        opened(seal(b"content"), "Keeps-2-Things")


def test_a_head_that_asks_for_too_much_is_refused() -> None:
    """Anybody may have written it: no gigabytes are taken for it."""
    found = bytearray(seal(b"content"))
    found[len(sealed.MARK)] = 63
    with pytest.raises(SealError, match="head is damaged"):
        opened(bytes(found))
