"""How a store is found by its URL, and that nothing else knows of engines."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

import resphere
from resphere.store.base import StoreMissing
from resphere.store.engines import DEFAULT, ENGINES, check_url, default_url, open_store, size_bytes
from tests.store.contract import NewUrl, put, transaction

SOURCE = Path(resphere.__file__).parent
TESTS = Path(__file__).parent.parent
OWN = (
    SOURCE / "store" / "engines.py",
    *(folder / "store" / name for folder in (SOURCE, TESTS) for name in ENGINES),
)
"""Where an engine may be named: in the table of engines, and in its own folders."""


@pytest.mark.parametrize("url", ["", "nothing", "oracle:x", ":x", DEFAULT, f"{DEFAULT}:", "/var/lib/store.db"])
def test_what_names_no_engine_is_refused_with_what_does(url: str) -> None:
    with pytest.raises(ValueError, match=f"is no URL of a store that this server knows: .*{DEFAULT}:"):
        check_url(url)
    with pytest.raises(ValueError, match="is no URL of a store"):
        asyncio.run(open_store(url))


def test_what_was_opened_by_a_url_is_opened_by_it_again(tmp_path: Path) -> None:
    async def test() -> None:
        url = default_url(tmp_path)
        check_url(url)
        store = await open_store(url)
        await store.commit(transaction(put("1")))
        again = await open_store(url, make=False)
        assert again.epoch == store.epoch
        assert len((await again.load()).documents) == 1
        await again.close()
        await store.close()

    asyncio.run(test())


def test_it_tells_how_much_it_takes(new_url: NewUrl) -> None:
    async def test() -> None:
        url = new_url()
        store = await open_store(url)
        before = await size_bytes(url)
        await store.commit(transaction(*(put(str(number), bytes(1000)) for number in range(1000))))
        assert await size_bytes(url) > before + 100_000
        await store.close()

    asyncio.run(test())


def test_none_is_made_where_none_is_to_be(tmp_path: Path) -> None:
    with pytest.raises(StoreMissing):
        asyncio.run(open_store(default_url(tmp_path), make=False))
    assert list(tmp_path.iterdir()) == []


def test_nothing_else_names_an_engine() -> None:
    """Neither in words: what is true of one engine is not taken for what is true of the store."""
    named = [
        f"{file}: {name}"
        for folder in (SOURCE, TESTS)
        for file in folder.rglob("*.py")
        if not any(file.is_relative_to(own) for own in OWN)
        for name in ENGINES
        if name in file.read_text(encoding="utf-8").lower()
    ]
    assert named == []
