"""When a store was committed to, as its processes tell each other."""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

import pytest

from bench.client import Unexpected
from resphere.store.base import Transaction, Write
from resphere.store.engines import default_url, open_store

if sys.platform != "linux":
    pytest.skip("Linux notes when a byte came", allow_module_level=True)

from bench.commits import Commits


def test_a_commit_is_told_with_its_moment(tmp_path: Path) -> None:
    url = default_url(tmp_path)

    async def committed(id: str) -> None:
        store = await open_store(url)
        await store.commit(Transaction(writes=(Write("kind", id, b"{}", 0),)))
        await store.close()

    asyncio.run(committed("before"))
    commits = Commits(Path(url.partition(":")[2]))
    with pytest.raises(Unexpected, match="no commit"):
        commits.of(time.time())
    began = time.time()
    asyncio.run(committed("one"))
    assert began < commits.of(time.time()) < time.time()
    asyncio.run(committed("other"))
    assert commits.of(began) == began
    commits.close()
