"""What every engine must do. An engine is put to these tests by its entry in conftest.ENGINES."""

from __future__ import annotations

import asyncio

import pytest

from resphere.store.base import Check, Conflict, Document, Store, StoreError, Taking, Transaction, Write
from tests.store.contract import NewStore, OpenStore, bodies, put, refused, run, states, transaction


class TestDocuments:
    def test_a_new_store_is_empty(self, open_store: OpenStore) -> None:
        async def scenario() -> None:
            async with open_store() as store:
                assert (await store.load()).sequence == 0
                assert list((await store.load()).documents) == []

        run(scenario())

    def test_a_document_is_read_as_written_with_the_sequence_as_its_revision(self, open_store: OpenStore) -> None:
        async def scenario() -> None:
            async with open_store() as store:
                sequence = await store.commit(transaction(put("1", b"\x00\xff any bytes")))
                snapshot = await store.load()
                assert snapshot.sequence == sequence
                assert list(snapshot.documents) == [Document("vm", "1", sequence, b"\x00\xff any bytes")]

        run(scenario())

    @pytest.mark.parametrize("body", [b"", b"x", b"x" * 100_000])
    def test_bodies_of_any_length(self, open_store: OpenStore, body: bytes) -> None:
        async def scenario() -> None:
            async with open_store() as store:
                await store.commit(transaction(put("1", body), put("2", b""), put("3", body)))
                assert bodies(await store.load()) == {"1": body, "2": b"", "3": body}

        run(scenario())

    def test_names_are_any_text(self, open_store: OpenStore) -> None:
        names = ["", "a/b", "é", "\U0010ffff", '"\\', "\x01\n", "a" * 1000]

        async def scenario() -> None:
            async with open_store() as store:
                await store.commit(Transaction(tuple(Write(name, name, name.encode()) for name in names)))
                found = {(document.kind, document.id, document.body) for document in (await store.load()).documents}
                assert found == {(name, name, name.encode()) for name in names}

        run(scenario())

    def test_the_same_id_of_another_kind_is_another_document(self, open_store: OpenStore) -> None:
        async def scenario() -> None:
            async with open_store() as store:
                await store.commit(Transaction((Write("vm", "1", b"vm"), Write("host", "1", b"host"))))
                await store.commit(Transaction((Write("vm", "1", None),)))
                assert [document.kind for document in (await store.load()).documents] == ["host"]

        run(scenario())

    def test_sequences_rise_also_after_reopening(self, open_store: OpenStore) -> None:
        async def scenario() -> None:
            sequences = [0]
            for _ in range(3):
                async with open_store() as store:
                    assert (await store.load()).sequence == sequences[-1]
                    sequences += [await store.commit(transaction(put("1"))) for _ in range(3)]
            assert sequences == sorted(set(sequences))

        run(scenario())

    def test_a_large_transaction(self, open_store: OpenStore) -> None:
        async def scenario() -> None:
            async with open_store() as store:
                writes = tuple(put(str(number), bytes(2000), claims=(f"name/{number}",)) for number in range(20_000))
                sequence = await store.commit(Transaction(writes))
                assert {document.revision for document in (await store.load()).documents} == {sequence}
                assert len((await store.load()).documents) == 20_000
                await store.commit(Transaction(tuple(put(write.id, None) for write in writes), vacant=("name/",)))
                assert len((await store.load()).documents) == 0

        run(scenario())

    @pytest.mark.parametrize(
        "unfit",
        [
            transaction(put("1"), put("1")),
            transaction(put("a\0b")),
            transaction(put("half \ud800")),
            transaction(put("1", claims=("a\0b",))),
            transaction(put("1", bytes(64 * 1024 * 1024 + 1))),
            Transaction((), checks=(Check("vm", "\0", 0),)),
            Transaction((), vacant=("\ud800",)),
        ],
        ids=["twice", "nul", "surrogate", "claim", "size", "check", "vacant"],
    )
    def test_an_unfit_transaction_is_a_value_error_and_spoils_no_group(
        self, open_store: OpenStore, unfit: Transaction
    ) -> None:
        async def scenario() -> None:
            async with open_store() as store:
                good, bad, last = await asyncio.gather(
                    store.commit(transaction(put("8"))),
                    store.commit(unfit),
                    store.commit(transaction(put("9"))),
                    return_exceptions=True,
                )
                assert isinstance(bad, ValueError)
                assert isinstance(good, int)
                assert isinstance(last, int)
                assert bodies(await store.load()).keys() == {"8", "9"}

        run(scenario())


class TestExpected:
    def test_the_current_revision_or_none_is_needed(self, open_store: OpenStore) -> None:
        async def scenario() -> None:
            async with open_store() as store:
                first = await store.commit(transaction(put("1", b"first", expected=0)))
                assert await refused(store, transaction(put("1", expected=0))) == ("revision", "vm/1")
                second = await store.commit(transaction(put("1", b"second", expected=first)))
                assert await refused(store, transaction(put("1", expected=first))) == ("revision", "vm/1")
                assert await refused(store, transaction(put("1", None, expected=first))) == ("revision", "vm/1")
                assert await refused(store, transaction(put("2", expected=second))) == ("revision", "vm/2")
                assert bodies(await store.load()) == {"1": b"second"}
                await store.commit(transaction(put("1", None, expected=second)))
                await store.commit(transaction(put("1", b"again", expected=0)))

        run(scenario())

    def test_a_refused_transaction_leaves_nothing(self, open_store: OpenStore) -> None:
        async def scenario() -> None:
            async with open_store() as store:
                before = await store.commit(transaction(put("1", b"1", claims=("a",))))
                await refused(store, transaction(put("2", claims=("b",)), put("1", None), put("3", expected=7)))
                assert bodies(await store.load()) == {"1": b"1"}
                assert (await store.changes_since(before)).changes == ()
                assert await refused(store, transaction(put("4", claims=("a",)))) == ("claim", "a")
                await store.commit(transaction(put("4", claims=("b",))))

        run(scenario())

    def test_a_check_holds_a_document_that_is_not_written(self, open_store: OpenStore) -> None:
        async def scenario() -> None:
            async with open_store() as store:
                revision = await store.commit(transaction(put("folder")))
                there = Check("vm", "folder", revision)
                gone = Check("vm", "folder", 0)
                await store.commit(Transaction((put("1"),), checks=(there,)))
                with pytest.raises(Conflict, match="revision: vm/folder"):
                    await store.commit(Transaction((put("2"),), checks=(gone,)))
                await store.commit(transaction(put("folder", None)))
                with pytest.raises(Conflict, match="revision: vm/folder"):
                    await store.commit(Transaction((put("2"),), checks=(there,)))
                await store.commit(Transaction((put("2"),), checks=(gone,)))

        run(scenario())

    def test_of_callers_at_once_with_one_revision_one_succeeds(self, open_store: OpenStore) -> None:
        async def scenario() -> None:
            async with open_store() as store:
                revision = await store.commit(transaction(put("1")))
                attempts = [store.commit(transaction(put("1", b"%d" % n, expected=revision))) for n in range(20)]
                results = await asyncio.gather(*attempts, return_exceptions=True)
                assert [isinstance(result, int) for result in results].count(True) == 1
                assert [isinstance(result, Conflict) for result in results].count(True) == 19

        run(scenario())

    def test_two_openers_never_lose_an_update(self, open_store: OpenStore) -> None:
        async def increment(store: Store) -> None:
            while True:
                (document,) = (await store.load()).documents
                body = b"%d" % (int(document.body) + 1)
                try:
                    await store.commit(transaction(put("counter", body, expected=document.revision)))
                    return
                except Conflict:
                    continue

        async def scenario() -> None:
            async with open_store() as one, open_store() as other:
                await one.commit(transaction(put("counter", b"0")))
                await asyncio.gather(*(increment(store) for store in (one, other) for _ in range(20)))
                assert bodies(await one.load()) == bodies(await other.load()) == {"counter": b"40"}

        run(scenario())


class TestClaims:
    def test_a_claim_has_one_holder(self, open_store: OpenStore) -> None:
        async def scenario() -> None:
            async with open_store() as store:
                await store.commit(transaction(put("1", claims=("a", "b", "a"))))
                assert await refused(store, transaction(put("2", claims=("b",)))) == ("claim", "b")
                await store.commit(transaction(put("1", claims=("a", "b"))))

        run(scenario())

    def test_claims_replace_those_before_and_none_leaves_them(self, open_store: OpenStore) -> None:
        async def scenario() -> None:
            async with open_store() as store:
                await store.commit(transaction(put("1", claims=("a", "b"))))
                await store.commit(transaction(put("1", claims=("b", "c"))))
                await store.commit(transaction(put("1", claims=None)))
                await store.commit(transaction(put("2", claims=("a",))))
                assert await refused(store, transaction(put("2", claims=("b",)))) == ("claim", "b")
                assert await refused(store, transaction(put("2", claims=("c",)))) == ("claim", "c")
                await store.commit(transaction(put("1", claims=())))
                await store.commit(transaction(put("2", claims=("b", "c"))))

        run(scenario())

    def test_a_deleted_document_gives_up_its_claims(self, open_store: OpenStore) -> None:
        async def scenario() -> None:
            async with open_store() as store:
                await store.commit(transaction(put("1", claims=("a",))))
                await store.commit(transaction(put("1", None, claims=("a", "b"))))
                await store.commit(transaction(put("2", claims=("a", "b"))))

        run(scenario())

    def test_a_claim_passes_from_one_document_to_another_in_a_transaction(self, open_store: OpenStore) -> None:
        async def scenario() -> None:
            async with open_store() as store:
                await store.commit(transaction(put("1", claims=("a",)), put("2", claims=("b",))))
                await store.commit(transaction(put("1", claims=("b",)), put("2", claims=("a",))))
                await store.commit(transaction(put("3", claims=("a",)), put("2", None)))
                assert await refused(store, transaction(put("4", claims=("a",)))) == ("claim", "a")
                assert await refused(store, transaction(put("4", claims=("b",)))) == ("claim", "b")

        run(scenario())

    def test_two_documents_of_a_transaction_cannot_share_one(self, open_store: OpenStore) -> None:
        async def scenario() -> None:
            async with open_store() as store:
                both = transaction(put("1", claims=("a",)), put("2", claims=("a",)))
                assert await refused(store, both) == ("claim", "a")

        run(scenario())

    def test_a_claim_goes_from_hand_to_hand_among_callers_at_once(self, open_store: OpenStore) -> None:
        async def scenario() -> None:
            async with open_store() as store:
                await store.commit(transaction(put("1", claims=("a",))))
                await asyncio.gather(
                    store.commit(transaction(put("1", claims=()), put("2", claims=("a",)))),
                    store.commit(transaction(put("1", claims=()))),
                    store.commit(transaction(put("1", None))),
                )
                assert await refused(store, transaction(put("3", claims=("a",)))) == ("claim", "a")
                await asyncio.gather(
                    store.commit(transaction(put("2", None), put("3", claims=("a",)))),
                    store.commit(transaction(put("3", None), put("4", claims=("b",)))),
                )
                await store.commit(transaction(put("5", claims=("a",))))

        run(scenario())

    def test_of_callers_at_once_one_gets_it(self, open_store: OpenStore) -> None:
        async def scenario() -> None:
            async with open_store() as one, open_store() as other:
                attempts = [
                    store.commit(transaction(put(f"{name}{n}", claims=("a",))))
                    for n in range(10)
                    for name, store in (("one", one), ("other", other))
                ]
                results = await asyncio.gather(*attempts, return_exceptions=True)
                assert [isinstance(result, int) for result in results].count(True) == 1
                assert len((await one.load()).documents) == 1

        run(scenario())


class TestVacant:
    @pytest.mark.parametrize(
        ("claim", "prefix", "vacant"),
        [
            ("child/1/a", "child/1/", False),
            ("child/1/a", "child/2/", True),
            ("child/10/a", "child/1/", True),
            ("child/1", "child/1", False),
            ("child/", "child/1", True),
            ("abc", "a%", True),
            ("abc", "a_c", True),
            ("a%c", "a%", False),
            ("ABC", "abc", True),
            ("é", "e", True),
            ("x\U0010ffffy", "x\U0010ffff", False),
            ("y", "x\U0010ffff", True),
            ("\ue000", "\U00010000", True),
            ("anything", "", False),
        ],
    )
    def test_no_claim_begins_with_the_prefix(
        self, open_store: OpenStore, claim: str, prefix: str, vacant: bool
    ) -> None:
        async def scenario() -> None:
            async with open_store() as store:
                await store.commit(transaction(put("1", claims=(claim,))))
                if vacant:
                    await store.commit(transaction(put("2"), vacant=(prefix,)))
                else:
                    assert await refused(store, transaction(put("2"), vacant=(prefix,))) == ("vacant", prefix)

        run(scenario())

    def test_it_counts_after_the_own_writes(self, open_store: OpenStore) -> None:
        async def scenario() -> None:
            async with open_store() as store:
                await store.commit(transaction(put("1", claims=("c/1", "d/1")), put("2", claims=("c/2",))))
                assert await refused(store, transaction(put("1", None), vacant=("c/",))) == ("vacant", "c/")
                await store.commit(transaction(put("1", None), put("2", claims=()), vacant=("c/", "d/")))
                assert await refused(store, transaction(put("3", claims=("c/3",)), vacant=("c/",))) == ("vacant", "c/")

        run(scenario())

    def test_a_parent_goes_or_gets_a_child_but_not_both(self, open_store: OpenStore) -> None:
        async def scenario() -> None:
            async with open_store() as one, open_store() as other:
                for n in range(20):
                    parent = await one.commit(transaction(put(f"parent{n}")))
                    child = put(f"child{n}", claims=(f"{n}/child",))
                    delete = one.commit(transaction(put(f"parent{n}", None), vacant=(f"{n}/",)))
                    create = other.commit(Transaction((child,), checks=(Check("vm", f"parent{n}", parent),)))
                    results = await asyncio.gather(delete, create, return_exceptions=True)
                    assert sorted(type(result).__name__ for result in results) == ["Conflict", "int"]

        run(scenario())


class TestChanges:
    def test_each_document_once_in_the_order_of_its_last_change(self, open_store: OpenStore) -> None:
        async def scenario() -> None:
            async with open_store() as store:
                start = await store.commit(transaction(put("old", b"old")))
                second = await store.commit(transaction(put("1", b"a"), put("2", b"b")))
                third = await store.commit(transaction(put("3", b"c")))
                last = await store.commit(transaction(put("1", b"d")))
                changes = await store.changes_since(start)
                assert changes.complete
                assert changes.sequence == last
                assert states(changes.changes) == [("2", b"b"), ("3", b"c"), ("1", b"d")]
                assert [change.sequence for change in changes.changes] == [second, third, last]
                assert (await store.changes_since(last)).changes == ()

        run(scenario())

    def test_what_is_gone_has_no_body(self, open_store: OpenStore) -> None:
        async def scenario() -> None:
            async with open_store() as store:
                start = await store.commit(transaction(put("1"), put("2")))
                await store.commit(transaction(put("1", None)))
                await store.commit(transaction(put("1", b"again")))
                await store.commit(transaction(put("1", None)))
                await store.commit(transaction(put("2", None)))
                await store.commit(transaction(put("2", b"again")))
                assert states((await store.changes_since(start)).changes) == [("1", None), ("2", b"again")]

        run(scenario())

    def test_to_delete_what_does_not_exist_is_no_change(self, open_store: OpenStore) -> None:
        async def scenario() -> None:
            async with open_store() as store:
                sequence = await store.commit(transaction(put("1", None)))
                assert (await store.changes_since(0)).changes == ()
                assert (await store.changes_since(0)).sequence == sequence

        run(scenario())

    def test_a_reader_too_far_behind_must_load_afresh(self, open_store: OpenStore) -> None:
        async def scenario() -> None:
            async with open_store(log_rows_kept=20) as store:
                sequences = [0, *[await store.commit(transaction(put(str(number)))) for number in range(200)]]
                for seen, sequence in enumerate(sequences):
                    changes = await store.changes_since(sequence)
                    assert changes.sequence == sequences[-1]
                    if changes.complete:
                        assert [change.id for change in changes.changes] == [str(n) for n in range(seen, 200)]
                    else:
                        assert changes.changes == ()
                        assert seen < 180
                assert not (await store.changes_since(0)).complete

        run(scenario())

    def test_a_transaction_larger_than_the_log_is_never_reported_in_part(self, open_store: OpenStore) -> None:
        async def scenario() -> None:
            async with open_store(log_rows_kept=20) as store:
                start = await store.commit(transaction(put("0")))
                await store.commit(Transaction(tuple(put(str(number)) for number in range(100))))
                last = await store.commit(transaction(put("0")))
                changes = await store.changes_since(start)
                assert not changes.complete or len(changes.changes) == 100
                assert (await store.changes_since(last - 1)).complete
                assert states((await store.changes_since(last - 1)).changes) == [("0", b"")]

        run(scenario())

    def test_a_reader_ahead_of_the_store_must_load_afresh(self, open_store: OpenStore) -> None:
        async def scenario() -> None:
            async with open_store() as store:
                sequence = await store.commit(transaction(put("1")))
                assert not (await store.changes_since(sequence + 1)).complete

        run(scenario())


class TestSharing:
    def test_version_tells_of_own_and_others_commits(self, open_store: OpenStore) -> None:
        async def scenario() -> None:
            async with open_store() as one, open_store() as other:
                for writer in (one, other):
                    before = one.version(), other.version()
                    assert (one.version(), other.version()) == before
                    await writer.commit(transaction(put("1")))
                    # Where that cannot be known without waiting, it says nothing.
                    assert before == (None, None) or one.version() != before[0]
                    assert before == (None, None) or other.version() != before[1]

        run(scenario())

    def test_each_reads_the_others_writes_once_acknowledged(self, open_store: OpenStore) -> None:
        async def scenario() -> None:
            async with open_store() as one, open_store() as other:
                sequence = await one.commit(transaction(put("1", b"one")))
                assert states((await other.changes_since(0)).changes) == [("1", b"one")]
                assert await other.commit(transaction(put("1", b"other", expected=sequence))) > sequence
                assert bodies(await one.load()) == {"1": b"other"}

        run(scenario())

    def test_the_epoch_belongs_to_the_store(self, new_store: NewStore) -> None:
        async def scenario() -> None:
            open_one, open_other = new_store(), new_store()
            async with open_one() as one, open_one() as same, open_other() as other:
                assert one.epoch == same.epoch != other.epoch
                epoch = one.epoch
            async with open_one() as again:
                assert again.epoch == epoch

        run(scenario())

    def test_reserved_numbers_are_never_given_twice(self, open_store: OpenStore) -> None:
        async def scenario() -> None:
            async with open_store() as one, open_store() as other:
                assert await one.reserve("vm", 10) == range(1, 11)
                assert await other.reserve("vm", 1) == range(11, 12)
                assert await one.reserve("host", 3) == range(1, 4)
            async with open_store() as store:
                assert await store.reserve("vm", 2) == range(12, 14)
                with pytest.raises(ValueError):
                    await store.reserve("vm", 0)

        run(scenario())

    def test_numbers_are_reserved_while_commits_are_under_way(self, open_store: OpenStore) -> None:
        async def scenario() -> None:
            async with open_store() as store:
                commits = [asyncio.ensure_future(store.commit(transaction(put(str(n))))) for n in range(10)]
                await asyncio.sleep(0)
                assert await store.reserve("vm", 5) == range(1, 6)
                await asyncio.gather(*commits)

        run(scenario())


class TestCallers:
    def test_a_conflict_leaves_the_others_of_its_group_alone(self, open_store: OpenStore) -> None:
        async def scenario() -> None:
            async with open_store() as store:
                await store.commit(transaction(put("taken")))
                attempts = [
                    store.commit(transaction(put("taken" if n % 3 == 0 else str(n), expected=0))) for n in range(30)
                ]
                results = await asyncio.gather(*attempts, return_exceptions=True)
                assert [isinstance(result, Conflict) for result in results] == [n % 3 == 0 for n in range(30)]
                sequences = [result for result in results if isinstance(result, int)]
                assert len(set(sequences)) == 20
                revisions = {document.id: document.revision for document in (await store.load()).documents}
                assert all(revisions[str(n)] == results[n] for n in range(30) if n % 3)

        run(scenario())

    def test_a_cancelled_caller_does_not_disturb_the_others(self, open_store: OpenStore) -> None:
        async def scenario() -> None:
            async with open_store() as store:
                tasks = [asyncio.create_task(store.commit(transaction(put(str(n))))) for n in range(10)]
                await asyncio.sleep(0)  # all have handed their transaction in
                for task in tasks[::2]:
                    task.cancel()
                results = await asyncio.gather(*tasks, return_exceptions=True)
                assert all(isinstance(result, asyncio.CancelledError) for result in results[::2])
                assert all(isinstance(result, int) for result in results[1::2])
                assert {str(n) for n in range(1, 10, 2)} <= bodies(await store.load()).keys()
                await store.commit(transaction(put("after")))

        run(scenario())

    def test_a_commit_gets_through_beside_a_loop_that_never_rests(self, open_store: OpenStore) -> None:
        async def scenario() -> None:
            async with open_store() as store:
                tasks = [asyncio.create_task(store.commit(transaction(put(str(n))))) for n in range(10)]
                while not all(task.done() for task in tasks):
                    sum(range(1000))
                    await asyncio.sleep(0)
                assert len((await store.load()).documents) == 10

        run(scenario())

    def test_close_finishes_what_was_handed_in(self, open_store: OpenStore) -> None:
        async def scenario() -> None:
            async with open_store() as store:
                tasks = [asyncio.create_task(store.commit(transaction(put(str(n))))) for n in range(50)]
                await asyncio.sleep(0)
                await store.close()
                assert all(isinstance(result, int) for result in await asyncio.gather(*tasks))
            async with open_store() as store:
                assert len((await store.load()).documents) == 50

        run(scenario())

    def test_a_closed_store_refuses_everything(self, open_store: OpenStore) -> None:
        async def scenario() -> None:
            async with open_store() as store:
                await store.close()
                with pytest.raises(StoreError, match="closed"):
                    store.version()
                with pytest.raises(StoreError, match="closed"):
                    await store.load()
                with pytest.raises(StoreError, match="closed"):
                    await store.changes_since(0)
                with pytest.raises(StoreError, match="closed"):
                    await store.reserve("vm", 1)
                with pytest.raises(StoreError, match="closed"):
                    await store.commit(transaction(put("1")))
                with pytest.raises(StoreError, match="closed"):
                    await store.claims()
                with pytest.raises(StoreError, match="closed"):
                    await store.compact()
                with pytest.raises(StoreError, match="closed"):
                    await store.liveness("1-a")
                with pytest.raises(StoreError, match="closed"):
                    await store.keys.get("x", 32)
                await store.close()

        run(scenario())


class TestTakings:
    """Much of one thing, taken by many at once."""

    def test_many_take_of_the_same_thing_while_there_is_enough(self, open_store: OpenStore) -> None:
        async def scenario() -> None:
            async with open_store() as one, open_store() as other:
                # Ten want one each of ten, and none has seen any other.
                wanted = [taking(put(str(number)), since=0, spare=9) for number in range(10)]
                await asyncio.gather(
                    *((one if number % 2 else other).commit(each) for number, each in enumerate(wanted))
                )
                assert len(bodies(await one.load())) == 10
                assert await refused(one, taking(put("late"), since=0, spare=9)) == ("taking", "room")
                assert await refused(other, taking(put("late"), since=0, spare=9)) == ("taking", "room")
                assert "late" not in bodies(await one.load())

        run(scenario())

    def test_what_was_seen_does_not_count(self, open_store: OpenStore) -> None:
        async def scenario() -> None:
            async with open_store() as store:
                first = await store.commit(taking(put("1"), amount=5, since=0, spare=0))
                assert await refused(store, taking(put("2"), since=0, spare=4)) == ("taking", "room")
                await store.commit(taking(put("2"), since=0, spare=5))
                assert await refused(store, taking(put("3"), since=first, spare=0)) == ("taking", "room")
                await store.commit(taking(put("3"), since=first, spare=1))

        run(scenario())

    def test_other_things_and_refused_transactions_do_not_count(self, open_store: OpenStore) -> None:
        async def scenario() -> None:
            async with open_store() as store:
                await store.commit(taking(put("1"), name="other", amount=5, since=0, spare=0))
                assert await refused(store, taking(put("1", expected=0), amount=5, since=0, spare=0))
                await store.commit(taking(put("2"), since=0, spare=0))

        run(scenario())

    @pytest.mark.parametrize(
        "takings",
        [(Taking("a", -1, 0, 0),), (Taking("a", 1, 0, 0), Taking("a", 2, 0, 0)), (Taking("a\0", 1, 0, 0),)],
    )
    def test_what_no_store_takes(self, open_store: OpenStore, takings: tuple[Taking, ...]) -> None:
        async def scenario() -> None:
            async with open_store() as store:
                with pytest.raises(ValueError, match=r"once|nothing|NUL"):
                    await store.commit(Transaction((put("1"),), takings=takings))
                assert bodies(await store.load()) == {}

        run(scenario())


def taking(write: Write, *, name: str = "room", amount: int = 1, since: int, spare: int) -> Transaction:
    return Transaction((write,), takings=(Taking(name, amount, since, spare),))
