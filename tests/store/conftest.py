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
from tests.store.contract import NewStore, OpenStore


def new_url(engine: str) -> Callable[[Path, int], str]:
    """Each engine has a folder of tests, and in there a module that says where its stores are."""
    place: Callable[[Path, int], str] = import_module(f"tests.store.{engine}.place").new_url
    return place


@pytest.fixture(params=ENGINES)
def new_store(request: pytest.FixtureRequest, tmp_path: Path) -> NewStore:
    numbers = itertools.count()

    def new_store() -> OpenStore:
        url = new_url(request.param)(tmp_path, next(numbers))

        @asynccontextmanager
        async def opened(*, log_rows_kept: int = 100_000) -> AsyncIterator[Store]:
            store = await open_url(url, log_rows_kept=log_rows_kept)
            try:
                yield store
            finally:
                await store.close()

        return opened

    return new_store


@pytest.fixture
def open_store(new_store: NewStore) -> OpenStore:
    return new_store()
