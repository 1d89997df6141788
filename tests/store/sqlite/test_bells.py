"""Bells: who listens is told that somebody has committed, whichever process that was, and nothing depends on it."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable
from pathlib import Path

import pytest

import resphere
from resphere.store.base import StoreError
from resphere.store.sqlite.bells import FOLDER, LONGEST_ADDRESS_BYTES
from resphere.store.sqlite.store import SqliteStore
from tests.store.contract import put, run, transaction

LISTENS = """
import asyncio, sys
from pathlib import Path
from resphere.store.sqlite.store import SqliteStore

async def listen():
    SqliteStore.open(Path(sys.argv[1])).listen(lambda: None)
    print("listens", flush=True)
    await asyncio.sleep(60)

asyncio.run(listen())
"""


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def within_a_while(work: Awaitable[object]) -> None:
    await asyncio.wait_for(work, 60)


def test_a_bell_where_the_path_is_too_long_for_a_socket(tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 30)
    folder.mkdir()
    assert len(str(folder / FOLDER)) > LONGEST_ADDRESS_BYTES

    async def scenario() -> None:
        one, other = SqliteStore.open(folder / "resphere.db"), SqliteStore.open(folder / "resphere.db")
        rung = asyncio.Event()
        end = one.listen(rung.set)
        await other.commit(transaction(put("1")))
        await within_a_while(rung.wait())
        end()
        await one.close()
        await other.close()

    run(scenario())


@pytest.mark.skipif(sys.platform != "linux", reason="paths of any length are reached by /proc")
def test_nothing_is_left_open(tmp_path: Path) -> None:
    async def scenario() -> None:
        store = SqliteStore.open(tmp_path / "resphere.db")
        await store.commit(transaction(put("0")))
        before = open_files()
        ends = [store.listen(lambda: None) for _ in range(3)]
        await store.commit(transaction(put("1")))
        for end in ends:
            end()
        await store.commit(transaction(put("2")))
        assert open_files() <= before + 1  # what rings is kept
        assert list((tmp_path / FOLDER).iterdir()) == []
        await store.close()

    run(scenario())


def test_a_process_that_was_killed_is_forgotten(tmp_path: Path) -> None:
    async def scenario() -> None:
        path = tmp_path / "resphere.db"
        source = str(Path(resphere.__file__).parent.parent)
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            LISTENS,
            str(path),
            stdout=asyncio.subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": source},
        )
        store = SqliteStore.open(path)  # after the process, which a quick run does not start
        assert process.stdout is not None
        assert await process.stdout.readline() == b"listens\n"
        await store.commit(transaction(put("1")))
        assert len(list((tmp_path / FOLDER).iterdir())) == 1
        process.send_signal(signal.SIGKILL)
        await process.wait()
        await store.commit(transaction(put("2")))
        await store.close()  # the bell is rung after the answer
        assert list((tmp_path / FOLDER).iterdir()) == []

    run(scenario())


def test_where_there_can_be_no_socket_nothing_rings_and_all_else_is_well(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario() -> None:
        (tmp_path / FOLDER).write_bytes(b"")  # where the folder should be
        store = SqliteStore.open(tmp_path / "resphere.db")
        end = store.listen(lambda: None)
        await store.commit(transaction(put("1")))
        end()
        assert "commits are noticed late" in caplog.text
        await store.close()

    run(scenario())


def test_a_closed_store_is_not_listened_to(tmp_path: Path) -> None:
    async def scenario() -> None:
        store = SqliteStore.open(tmp_path / "resphere.db")
        end = store.listen(lambda: None)
        await store.close()
        end()
        with pytest.raises(StoreError, match="is closed"):
            store.listen(lambda: None)

    run(scenario())
