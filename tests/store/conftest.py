from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib import import_module
from pathlib import Path

import pytest

from resphere.store.base import Store
from resphere.store.engines import ENGINES
from resphere.store.engines import open_store as open_url
from tests.store.contract import NewStore, NewUrl, OpenStore


def place_of(engine: str) -> Callable[[Path, int], str]:
    """Each engine has a folder of tests, and in there a module that says where its stores are."""
    place: Callable[[Path, int], str] = import_module(f"tests.store.{engine}.place").new_url
    return place


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def new_store(engine: str, tmp_path: Path) -> NewStore:
    numbers = itertools.count(1)

    def new_store() -> OpenStore:
        return opener(place_of(engine)(tmp_path, next(numbers)))

    return new_store


@pytest.fixture
def new_url(engine: str, tmp_path: Path) -> NewUrl:
    """The URL of the store that ``open_store`` opens."""
    return lambda: place_of(engine)(tmp_path, 0)


@pytest.fixture
def open_store(new_url: NewUrl) -> OpenStore:
    return opener(new_url())


def opener(url: str) -> OpenStore:
    """Opens the store of that URL."""

    @asynccontextmanager
    async def opened(*, log_rows_kept: int = 100_000) -> AsyncIterator[Store]:
        store = await open_url(url, log_rows_kept=log_rows_kept)
        try:
            yield store
        finally:
            await store.close()

    return opened
