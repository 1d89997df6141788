"""What only the SQLite store does: its file, its limits, its processes."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import stat
import threading
from collections.abc import Coroutine, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from resphere.store.base import Entry, Journal, StoreError, Taking, Transaction
from resphere.store.sqlite import group, writer
from resphere.store.sqlite import store as store_module
from resphere.store.sqlite.schema import TURN, WriterLock
from resphere.store.sqlite.store import SqliteStore
from tests.store.contract import bodies, put, refused, run, states, transaction
from tests.store.sqlite.earlier import WITHOUT_NOTES
from tests.support.full_disk import file_size_limit


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "resphere.db"


def execute(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


class TestGroups:
    def test_what_is_committed_in_one_turn_is_written_together(
        self, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        groups: list[int] = []

        def counted(connection: sqlite3.Connection, transactions: Sequence[Transaction], *more: Any) -> Any:
            groups.append(len(transactions))
            return group.apply_transactions(connection, transactions, *more)

        monkeypatch.setattr(writer, "apply_transactions", counted)

        async def scenario() -> None:
            store = SqliteStore.open(path)
            sequences = await asyncio.gather(*(store.commit(Transaction((put(str(n)),))) for n in range(20)))
            assert (groups, sequences) == ([20], list(range(1, 21)))
            await store.close()

        run(scenario())

    def test_what_was_handed_in_is_written_before_the_end(self, path: Path) -> None:
        async def scenario() -> None:
            store = SqliteStore.open(path)
            committing = asyncio.ensure_future(store.commit(Transaction((put("1"),))))
            closing = asyncio.ensure_future(store.close())
            assert await committing == 1
            await closing

        run(scenario())

    def test_what_comes_after_the_end_is_refused(self, path: Path) -> None:
        """Also what another loop has handed in just before."""

        async def scenario() -> None:
            store = SqliteStore.open(path)
            committing = asyncio.ensure_future(store.commit(Transaction((put("1"),))))
            await asyncio.sleep(0)
            store._writer.finish()
            with pytest.raises(StoreError, match="is closed"):
                await committing
            with pytest.raises(StoreError, match="is closed"):
                await store.commit(Transaction((put("2"),)))
            await store.close()

        run(scenario())


class TestJournal:
    def test_what_earlier_releases_wrote_is_read_and_goes(self, path: Path) -> None:
        """One entry in a row, without a size."""

        async def scenario() -> None:
            await SqliteStore.open(path).close()
            execute(
                path,
                "ALTER TABLE journal DROP COLUMN sizes",
                *WITHOUT_NOTES,
                "INSERT INTO journal VALUES (7, 1, 3, CAST('one' AS BLOB)), (8, 1, 6, CAST('two' AS BLOB))",
                "PRAGMA user_version = 3",
            )
            store = SqliteStore.open(path)
            await store.commit(Transaction((), entries=(Entry(2, b"three"), Entry(2, b"four"))))
            assert await store.journal(7, 2) == Journal(7, 10, ((8, b"two"), (9, b"three")))
            assert await store.trim_journal(2, 2**40, 1) == 1
            assert await store.trim_journal(2, 2**40, 10) == 1
            assert await store.journal(0, 10) == Journal(9, 10, ((9, b"three"), (10, b"four")))
            await store.close()

        run(scenario())


class TestTakings:
    def test_a_file_of_an_earlier_release_can_be_used(self, path: Path) -> None:
        async def scenario() -> None:
            await SqliteStore.open(path).close()
            execute(path, "DROP TABLE takings", "DROP TABLE journal", *WITHOUT_NOTES, "PRAGMA user_version = 1")
            with pytest.raises(StoreError, match="earlier release; resphere serve brings it"):
                SqliteStore.open(path, make=False)
            store = SqliteStore.open(path)
            await store.commit(Transaction((put("1"),), takings=(Taking("room", 1, 0, 0),)))
            await store.close()

        run(scenario())

    def test_what_was_taken_long_ago_is_forgotten_and_old_plans_refused(
        self, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(group, "TAKINGS_KEPT", 10)
        monkeypatch.setattr(group, "TAKINGS_FORGOTTEN_EVERY", 5)

        async def scenario() -> None:
            store = SqliteStore.open(path)
            for number in range(30):
                await store.commit(Transaction((put(str(number)),), takings=(Taking("room", 1, number, 0),)))
            late = Transaction((put("late"),), takings=(Taking("room", 1, 19, 1000),))
            assert await refused(store, late) == ("taking", "room")
            await store.commit(Transaction((put("late"),), takings=(Taking("room", 1, 20, 10),)))
            await store.close()

        run(scenario())
        with closing(sqlite3.connect(path)) as connection:
            (kept,) = connection.execute("SELECT count(*) FROM takings").fetchone()
        assert 10 <= kept <= 16


class TestFile:
    def test_only_the_owner_may_read_any_of_its_files(self, path: Path) -> None:
        async def scenario() -> None:
            store = SqliteStore.open(path)
            await store.commit(transaction(put("1")))
            files = list(path.parent.iterdir())
            assert len(files) == 5  # database, log, shared memory, writer's lock, lock of those who use it
            assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
            await store.close()

        run(scenario())

    def test_any_name_will_do(self, tmp_path: Path) -> None:
        async def scenario() -> None:
            path = tmp_path / "a ?&#%é.db"
            store = SqliteStore.open(path)
            await store.commit(transaction(put("1")))
            await store.close()
            assert path.stat().st_size > 0

        run(scenario())

    def test_a_file_left_empty_by_a_killed_process_becomes_a_store(self, path: Path) -> None:
        path.touch(0o600)
        execute(path, "PRAGMA journal_mode = WAL")
        run(SqliteStore.open(path).close())

    def test_many_may_make_it_at_once(self, path: Path) -> None:
        with ThreadPoolExecutor(8) as pool:
            stores = list(pool.map(lambda _: SqliteStore.open(path), range(8)))
        assert len({store.epoch for store in stores}) == 1
        for store in stores:
            run(store.close())

    def test_the_epoch_comes_from_the_caller(self, path: Path) -> None:
        store = SqliteStore.open(path, new_epoch=lambda: "given")
        assert store.epoch == "given"
        run(store.close())

    def test_a_file_that_is_no_database(self, path: Path) -> None:
        path.write_bytes(b"no database at all " * 100)
        with pytest.raises(StoreError, match=str(path)):
            SqliteStore.open(path)
        assert path.read_bytes() == b"no database at all " * 100

    def test_a_database_of_another_application(self, path: Path) -> None:
        execute(path, "CREATE TABLE theirs (a)")
        before = path.read_bytes()
        with pytest.raises(StoreError, match=f"{path} is a database, but not one of resphere"):
            SqliteStore.open(path)
        assert path.read_bytes() == before

    @pytest.mark.parametrize(("version", "message"), [(5, "made by a newer resphere"), (0, "unknown schema 0")])
    def test_another_schema(self, path: Path, version: int, message: str) -> None:
        run(SqliteStore.open(path).close())
        execute(path, f"PRAGMA user_version = {version}")
        with pytest.raises(StoreError, match=message) as caught:
            SqliteStore.open(path)
        assert str(path) in str(caught.value)

    def test_a_folder_that_does_not_exist(self, tmp_path: Path) -> None:
        path = tmp_path / "missing" / "resphere.db"
        with pytest.raises(StoreError, match=str(path)):
            SqliteStore.open(path)

    def test_the_change_log_stays_bounded(self, path: Path) -> None:
        async def scenario() -> None:
            store = SqliteStore.open(path, log_rows_kept=100)
            for number in range(150):
                await store.commit(transaction(put(f"{number}"), put("always")))
            await store.close()

        run(scenario())
        with closing(sqlite3.connect(path)) as connection:
            (rows,) = connection.execute("SELECT count(*) FROM log").fetchone()
            (counted,) = connection.execute("SELECT log_rows FROM state").fetchone()
        assert 100 <= rows <= 105
        assert rows == counted


class TestLoops:
    def test_one_store_serves_several_event_loops_after_one_another(self, path: Path) -> None:
        async def opened() -> SqliteStore:
            return SqliteStore.open(path)

        async def scenario(store: SqliteStore, id: str) -> None:
            await store.commit(transaction(put(id)))

        with asyncio.Runner() as runner:
            store = runner.run(opened())
            asyncio.run(scenario(store, "1"))
            asyncio.run(scenario(store, "2"))
            assert bodies(runner.run(store.load())).keys() == {"1", "2"}
            runner.run(store.close())


class TestManyChanges:
    """What is too much to be read in place is read in a thread, and is the same."""

    @pytest.mark.parametrize("most", [0, 1, 7, 1000])
    def test_wherever_they_are_read_they_are_the_same(
        self, path: Path, monkeypatch: pytest.MonkeyPatch, most: int
    ) -> None:
        monkeypatch.setattr(store_module, "CHANGES_IN_PLACE", most)

        async def scenario() -> None:
            store = SqliteStore.open(path)
            for number in range(20):
                await store.commit(transaction(put("changed", b"%d" % number), put(f"{number % 5}", b"x")))
                await store.commit(transaction(put("gone"), put(f"{number % 5}", None)))
                await store.commit(transaction(put("gone", None)))
            await store.commit(transaction(*(put(f"last-{n}") for n in range(3))))
            changes = await store.changes_since(0)
            assert (changes.complete, changes.sequence) == (True, 61)
            assert states(changes.changes) == [
                *((f"{n}", None) for n in range(4)),
                ("changed", b"19"),
                ("4", None),
                ("gone", None),
                *((f"last-{n}", b"") for n in range(3)),
            ]
            await store.close()

        run(scenario())

    def test_requests_do_not_wait_for_them(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(store_module, "CHANGES_IN_PLACE", 0)

        async def scenario() -> None:
            store = SqliteStore.open(path)
            await store.commit(transaction(put("1")))
            reading = asyncio.create_task(store.changes_since(0))
            await asyncio.sleep(0)
            assert not reading.done()
            store.version()
            assert len((await reading).changes) == 1
            await store.close()

        run(scenario())


class TestTurns:
    """How a reader knows, without asking SQLite, that nobody has written."""

    def test_what_is_committed_shows_before_its_turn_is_over(self, path: Path) -> None:
        async def scenario() -> None:
            store = SqliteStore.open(path)
            version = store.version()
            assert store.version() == version
            with closing(WriterLock(path)) as lock, lock.held():
                assert store.version() == version
                execute(path, "UPDATE state SET log_rows = log_rows + 1")
                assert store.version() != version
            assert store.version() != version
            await store.close()

        run(scenario())

    def test_a_writer_that_was_killed_in_its_turn_hides_nothing(self, path: Path) -> None:
        async def scenario() -> None:
            one, other = SqliteStore.open(path), SqliteStore.open(path)
            await one.commit(transaction(put("1")))
            one.version()
            leave_a_turn_unfinished(path)
            for number in range(3):
                before = one.version()
                assert one.version() == before
                await other.commit(transaction(put(f"{number}")))
                assert one.version() != before
            await one.close()
            await other.close()

        run(scenario())


def leave_a_turn_unfinished(path: Path) -> None:
    """What a killed writer leaves: its lock is free, and its turn is not over."""
    with closing(WriterLock(path)) as lock:
        lock._words[TURN] += 1
        assert lock.turn % 2 == 1


class TestFailure:
    def test_a_full_disk_fails_the_group_and_stores_nothing(self, path: Path) -> None:
        async def scenario() -> None:
            store = SqliteStore.open(path)
            before = await store.commit(transaction(put("1", b"before")))
            large = [store.commit(transaction(put(f"{n}", bytes(50_000)))) for n in range(20)]
            with file_size_limit(200_000):
                results = await asyncio.gather(*large, return_exceptions=True)
                failed = [n for n, result in enumerate(results) if isinstance(result, StoreError)]
                assert failed
                assert all(str(path) in str(results[n]) for n in failed)
            # Callers who were told so can rely on it, and the store works again as soon as there is room.
            assert {f"{n}" for n in range(20) if n not in failed} | {"1"} == bodies(await store.load()).keys()
            assert (await store.load()).sequence == before + 20 - len(failed)
            await store.commit(transaction(put("1", b"after")))
            assert bodies(await store.load())["1"] == b"after"
            await store.close()

        run(scenario())

    def test_a_full_disk_fails_a_reservation(self, path: Path) -> None:
        async def scenario() -> None:
            store = SqliteStore.open(path)
            with file_size_limit(0), pytest.raises(StoreError, match=f"cannot write {path}"):
                await store.reserve("vm", 1)
            assert await store.reserve("vm", 1) == range(1, 2)
            await store.close()

        run(scenario())

    def test_a_damaged_file_is_a_store_error_to_readers(self, path: Path) -> None:
        async def scenario() -> None:
            store = SqliteStore.open(path)
            execute(path, "DROP TABLE documents")
            with pytest.raises(StoreError, match=f"cannot read {path}"):
                await store.load()
            with pytest.raises(StoreError, match=f"cannot write {path}"):
                await store.commit(transaction(put("1")))
            assert store.version() == store.version()
            await store.close()

        run(scenario())

    def test_callers_whose_loop_has_ended_do_not_stop_the_writer(self, path: Path) -> None:
        store = SqliteStore.open(path)

        async def abandon() -> None:
            for n in range(20):
                waiting = store.commit(transaction(put(f"{n}", bytes(10_000))))
                waiting.send(None)  # hands the transaction in
                waiting.close()

        run(abandon())

        async def scenario() -> None:
            await store.commit(transaction(put("after")))
            assert len((await store.load()).documents) == 21
            await store.close()

        run(scenario())


class TestProcesses:
    # Python 3.12 and later warn of what is tested here.
    @pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
    def test_a_forked_child_must_open_it_anew(self, path: Path) -> None:
        with opened(path) as store:
            output, child_output = os.pipe()
            child = os.fork()
            if child == 0:
                # Nothing of the test runner may run in here.
                try:
                    os.write(child_output, "\n".join(refusals(store)).encode())
                finally:
                    os._exit(0)
            os.close(child_output)
            os.waitpid(child, 0)
            with os.fdopen(output, encoding="utf-8") as pipe:
                answers = pipe.read().split("\n")
        assert len(answers) == 5
        assert all("must open it anew" in answer for answer in answers)

    def test_close_ends_the_thread(self, path: Path) -> None:
        before = set(threading.enumerate())
        store = SqliteStore.open(path)
        (writer,) = set(threading.enumerate()) - before
        run(store.close())
        assert not writer.is_alive()

    def test_event_loops_of_several_threads_may_use_it_at_once(self, path: Path) -> None:
        store = SqliteStore.open(path)

        async def scenario(number: int) -> None:
            sequence = await store.commit(transaction(put(str(number))))
            assert str(number) in bodies(await store.load())
            assert not (await store.changes_since(sequence - 1)).changes[0].sequence < sequence

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda number: run(scenario(number)), range(8)))
        run(store.close())


@contextmanager
def opened(path: Path) -> Iterator[SqliteStore]:
    """A store that is closed also where the test ends within: Python 3.13 warns of one that is not."""
    store = SqliteStore.open(path)
    try:
        yield store
    finally:
        run(store.close())


def refusals(store: SqliteStore) -> Iterator[str]:
    try:
        store.version()
    except StoreError as error:
        yield str(error)
    calls: list[Coroutine[Any, Any, object]] = [
        store.load(),
        store.changes_since(0),
        store.reserve("vm", 1),
        store.commit(Transaction(())),
    ]
    for call in calls:
        try:
            call.send(None)
        except StoreError as error:
            yield str(error)


class TestLostDatabases:
    """A database that lost what was in it is not taken for a new one: keys beside it tell."""

    @staticmethod
    async def filled(path: Path) -> None:
        store = SqliteStore.open(path)
        await store.keys.get("secrets", 32)
        await store.commit(transaction(put("1")))
        await store.close()

    @pytest.mark.parametrize("lost", ["missing", "empty"])
    def test_it_is_refused_and_nothing_is_touched(self, path: Path, lost: str) -> None:
        run(self.filled(path))
        path.write_bytes(b"")
        # As a server that was killed leaves it.
        log = path.with_name("resphere.db-wal")
        log.write_bytes(b"what was written last")
        if lost == "missing":
            path.unlink()
        with pytest.raises(StoreError, match=rf"{path} is {lost}, but secrets\.key beside it shows"):
            SqliteStore.open(path)
        assert log.read_bytes() == b"what was written last"
        assert path.exists() == (lost == "empty")
        log.unlink()
        path.with_name("secrets.key").unlink()
        run(self.filled(path))

    def test_one_without_its_log_is_refused_too(self, path: Path) -> None:
        """As a copy of the file alone is, where all is in the log still."""
        run(self.filled(path))
        path.unlink()
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
        assert path.stat().st_size > 0
        with pytest.raises(StoreError, match="is empty, but secrets"):
            SqliteStore.open(path)

    def test_a_start_that_was_killed_before_there_were_tables_goes_on(self, path: Path) -> None:
        path.write_bytes(b"")
        run(self.filled(path))
