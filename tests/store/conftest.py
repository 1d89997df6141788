from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from resphere.store.base import Store
from resphere.store.sqlite.store import SqliteStore
from tests.store.contract import NewStore, OpenStore


def sqlite_stores(folder: Path) -> NewStore:
    numbers = itertools.count()

    def new_store() -> OpenStore:
        path = folder / f"{next(numbers)}.db"

        @asynccontextmanager
        async def open_store(*, log_rows_kept: int = 100_000) -> AsyncIterator[Store]:
            store = SqliteStore.open(path, log_rows_kept=log_rows_kept)
            try:
                yield store
            finally:
                await store.close()

        return open_store

    return new_store


ENGINES = {"sqlite": sqlite_stores}


@pytest.fixture(params=ENGINES)
def new_store(request: pytest.FixtureRequest, tmp_path: Path) -> NewStore:
    return ENGINES[request.param](tmp_path)


@pytest.fixture
def open_store(new_store: NewStore) -> OpenStore:
    return new_store()
