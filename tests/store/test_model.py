"""Random histories: the store and the model must agree on every answer and every state."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from resphere.store.base import Check, Conflict, Note, Store, Taking, Transaction, Write
from resphere.store.engines import DEFAULT
from tests.store.contract import NewStore, run
from tests.store.model import Model, documents_of, replay
from tests.support.examples import examples

KEYS = [("vm", "1"), ("vm", "2"), ("vm", "é"), ("host", "1")]
CLAIMS = ["a", "ab", "a%", "a_b", "a\U0010ffff", "b/1", "b/2"]
PREFIXES = ["a", "ab", "a%", "a_", "a\U0010ffff", "b/", "c", ""]

# How `expected` stands to the revision that a document has when its transaction's turn comes.
EXPECTATIONS = [None, None, "current", "current", "current", "none", "other"]

PlannedWrite = tuple[tuple[str, str], bytes | None, str | None, tuple[str, ...] | None]
PlannedCheck = tuple[tuple[str, str], str]
PlannedTaking = tuple[str, int, int, int]
PlannedNotes = tuple[list[tuple[str, bytes]], int]
Planned = tuple[list[PlannedWrite], list[PlannedCheck], list[str], list[PlannedTaking], PlannedNotes]

planned_writes = st.tuples(
    st.sampled_from(KEYS),
    st.sampled_from([b"", b"x", b"yy", None]),
    st.sampled_from(EXPECTATIONS),
    st.none() | st.lists(st.sampled_from(CLAIMS), max_size=3).map(tuple),
)
planned_checks = st.tuples(st.sampled_from(KEYS), st.sampled_from(["current", "current", "none", "other"]))
# What is taken of, how much, how much is spare, and how many transactions ago the maker looked.
planned_takings = st.tuples(st.sampled_from(["x", "é"]), st.integers(0, 3), st.integers(0, 5), st.integers(0, 3))
# Ids and bodies, and how many transactions ago the maker looked.
planned_notes = st.tuples(
    st.lists(
        st.tuples(st.sampled_from(["n", "é"]), st.sampled_from([b"", b"z"])), max_size=2, unique_by=lambda note: note[0]
    ),
    st.integers(0, 3),
)
planned = st.tuples(
    st.lists(planned_writes, max_size=3, unique_by=lambda write: write[0]),
    st.lists(planned_checks, max_size=1),
    st.lists(st.sampled_from(PREFIXES), max_size=1),
    st.lists(planned_takings, max_size=2, unique_by=lambda taking: taking[0]),
    planned_notes,
)
ELSEWHERE = 5
"""Of so many examples one is tried with engines whose stores take longer to make."""

histories = st.lists(st.lists(planned, min_size=1, max_size=6), min_size=1, max_size=12)


def some(engine: str, count: int) -> int:
    return examples(count if engine == DEFAULT else count // ELSEWHERE)


def expected_revision(model: Model, key: tuple[str, str], expectation: str) -> int:
    return {"current": model.revision(key), "none": 0, "other": model.revision(key) + 1}[expectation]


def resolve(model: Model, plan: Planned) -> Transaction:
    """The transaction that ``plan`` means in the model's present state."""
    writes, checks, vacant, takings, (notes, looked) = plan
    last = max(model.past)
    return Transaction(
        writes=tuple(
            Write(*key, body, None if expectation is None else expected_revision(model, key, expectation), claims)
            for key, body, expectation, claims in writes
        ),
        checks=tuple(Check(*key, expected_revision(model, key, expectation)) for key, expectation in checks),
        vacant=tuple(vacant),
        takings=tuple(Taking(name, amount, max(0, last - ago), spare) for name, amount, spare, ago in takings),
        notes=tuple(Note(id, last, body) for id, body in notes),
        noted_since=max(0, last - looked),
    )


async def commit(store: Store, transaction: Transaction) -> int | tuple[str, str]:
    try:
        return await store.commit(transaction)
    except Conflict as conflict:
        return conflict.reason, conflict.subject


async def assert_agrees(store: Store, model: Model) -> None:
    snapshot = await store.load()
    assert documents_of(snapshot) == model.documents
    assert list(snapshot.notes) == [note for _, note in model.notes]
    for sequence, documents in model.past.items():
        changes = await store.changes_since(sequence)
        assert changes.complete
        assert list(changes.notes) == [note for at, note in model.notes if at > sequence]
        assert replay(documents, changes) == model.documents
        assert len({(change.kind, change.id) for change in changes.changes}) == len(changes.changes)
        order = [change.sequence for change in changes.changes]
        assert order == sorted(order)


def test_one_after_another_through_two_openers(engine: str, new_store: NewStore) -> None:
    @settings(max_examples=some(engine, 200), deadline=None)
    @given(histories)
    def check(history: Sequence[Sequence[Planned]]) -> None:
        async def scenario() -> None:
            open_store = new_store()
            async with open_store() as one, open_store() as other:
                model = Model()
                for plans in history:
                    for number, plan in enumerate(plans):
                        transaction = resolve(model, plan)
                        result = await commit(other if number % 2 else one, transaction)
                        if isinstance(result, int):
                            assert model.conflict(transaction) is None
                            assert result > max(model.past)
                            model.apply(transaction, result)
                        else:
                            assert result == model.conflict(transaction)
                    await assert_agrees(one, model)

        run(scenario())

    check()


def test_in_groups(engine: str, new_store: NewStore) -> None:
    """Callers at once through one opener: as if one after another, in the order of their sequences."""

    @settings(max_examples=some(engine, 300), deadline=None)
    @given(histories)
    def check(history: Sequence[Sequence[Planned]]) -> None:
        async def scenario() -> None:
            async with new_store()() as store:
                model = Model()
                for plans in history:
                    transactions = [resolve(model, plan) for plan in plans]
                    before = Model(
                        dict(model.documents),
                        dict(model.claims),
                        dict(model.past),
                        list(model.takings),
                        list(model.notes),
                    )
                    results = await asyncio.gather(*(commit(store, transaction) for transaction in transactions))
                    committed = sorted((r, t) for r, t in zip(results, transactions, strict=True) if isinstance(r, int))
                    states = [before]
                    for sequence, transaction in committed:
                        assert model.conflict(transaction) is None
                        model.apply(transaction, sequence)
                        takings, notes = list(model.takings), list(model.notes)
                        states.append(Model(dict(model.documents), dict(model.claims), takings=takings, notes=notes))
                    for result, transaction in zip(results, transactions, strict=True):
                        # A refused one must have been impossible at some moment in between.
                        if not isinstance(result, int):
                            assert result in [state.conflict(transaction) for state in states]
                    await assert_agrees(store, model)

        run(scenario())

    check()
