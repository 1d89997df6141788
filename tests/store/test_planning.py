"""What a group of transactions does to the stored documents: each rule alone, without any engine."""

from __future__ import annotations

from collections.abc import Container

import pytest

from resphere.store import planning
from resphere.store.base import Check, Conflict, Taking, Transaction, Write
from resphere.store.planning import Facts, GroupState, Key, Outcome, check_form, check_text, rewrites_claims

A, B = ("item", "a"), ("item", "b")


def write(
    id: str, body: bytes | None = b"x", expected: int | None = None, claims: tuple[str, ...] | None = ()
) -> Write:
    return Write("item", id, body, expected, claims)


def plan(
    revisions: dict[Key, int] | None = None,
    holders: dict[str, Key] | None = None,
    stored: tuple[str, ...] = (),
    taken: list[tuple[int, str, int]] | None = None,
    forgotten: int = 0,
) -> GroupState:
    """A plan at the sequence 10; ``stored`` are claims of documents that it does not name."""

    def stored_claim(prefix: str, besides: Container[str]) -> str | None:
        return next((claim for claim in stored if claim.startswith(prefix) and claim not in besides), None)

    return GroupState(Facts(revisions or {}, holders or {}, stored_claim, taken or [], forgotten), 10)


def refused(planned: GroupState, transaction: Transaction) -> tuple[str, str]:
    """Reason and subject; the plan is as before."""
    before = planned.sequence, dict(planned.documents), list(planned.taken), planned.moved_claims()
    with pytest.raises(Conflict) as conflict:
        planned.add(transaction)
    assert (planned.sequence, planned.documents, planned.taken, planned.moved_claims()) == before
    return conflict.value.reason, conflict.value.subject


class TestForm:
    def test_a_document_is_written_once(self) -> None:
        with pytest.raises(ValueError, match="each document once"):
            check_form(Transaction((write("a"), write("a"))))
        check_form(Transaction((write("a"), write("b"), Write("other", "a", b""))))

    def test_bodies_end_somewhere(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert planning.MAXIMUM_BODY_BYTES == 1 << 26
        monkeypatch.setattr(planning, "MAXIMUM_BODY_BYTES", 3)
        check_form(Transaction((write("a", b"123"), write("b", None))))
        with pytest.raises(ValueError, match="item/b has 4 bytes, more than 3"):
            check_form(Transaction((write("a", b"1"), write("b", b"1234"))))

    @pytest.mark.parametrize("bad", ["a\0b", "\ud800"])
    def test_texts_can_be_stored(self, bad: str) -> None:
        for transaction in (
            Transaction((Write(bad, "a", b""),)),
            Transaction((Write("item", bad, b""),)),
            Transaction((write("a", claims=("good", bad)),)),
            Transaction((), checks=(Check("item", "a", 0), Check(bad, "a", 0))),
            Transaction((), checks=(Check("item", bad, 0),)),
            Transaction((), vacant=("good", bad)),
            Transaction((), takings=(Taking(bad, 1, 0, 0),)),
        ):
            with pytest.raises(ValueError):
                check_form(transaction)
        check_text("good", "gut é")

    def test_takings_make_sense(self) -> None:
        with pytest.raises(ValueError, match="of each thing once"):
            check_form(Transaction((), takings=(Taking("x", 1, 0, 0), Taking("x", 2, 0, 0))))
        with pytest.raises(ValueError, match="less than nothing"):
            check_form(Transaction((), takings=(Taking("x", -1, 0, 0),)))
        check_form(Transaction((), takings=(Taking("x", 0, 0, 0), Taking("y", 1, 0, 0))))


def test_which_writes_rewrite_claims() -> None:
    assert rewrites_claims(write("a", None, claims=None))
    assert rewrites_claims(write("a", claims=()))
    assert not rewrites_claims(write("a", claims=None))


class TestRevisions:
    def test_what_is_expected_must_be_so(self) -> None:
        planned = plan({A: 7})
        assert refused(planned, Transaction((write("a", expected=6),))) == ("revision", "item/a")
        assert refused(planned, Transaction((write("a", expected=0),))) == ("revision", "item/a")
        assert refused(planned, Transaction((), checks=(Check("item", "a", 6),))) == ("revision", "item/a")
        assert refused(planned, Transaction((), checks=(Check("item", "b", 1),))) == ("revision", "item/b")
        assert planned.add(Transaction((write("a", expected=7),), checks=(Check("item", "b", 0),))) == 11
        assert refused(planned, Transaction((write("a", expected=7),))) == ("revision", "item/a")
        assert planned.add(Transaction((write("a", expected=11), write("b", expected=0)))) == 12
        assert planned.add(Transaction((write("a", expected=None),))) == 13

    def test_documents_end_in_the_order_of_their_last_change(self) -> None:
        planned = plan({A: 7})
        planned.add(Transaction((write("a", b"1"),)))
        planned.add(Transaction((write("b", b"2"),)))
        planned.add(Transaction((write("a", b"3"),)))
        assert list(planned.documents.items()) == [(B, Outcome(12, b"2")), (A, Outcome(13, b"3"))]

    def test_what_is_deleted_is_gone(self) -> None:
        planned = plan({A: 7})
        planned.add(Transaction((write("a", None),)))
        planned.add(Transaction((write("a", expected=0),)))
        planned.add(Transaction((write("a", None),)))
        assert planned.documents == {A: Outcome(13, None)}

    def test_nobody_hears_that_what_never_was_is_gone(self) -> None:
        planned = plan()
        assert planned.add(Transaction((write("a", None), write("b")))) == 11
        assert planned.documents == {B: Outcome(11, b"x")}


class TestClaims:
    def test_a_claim_is_one_document_s(self) -> None:
        planned = plan({A: 7}, {"name": A})
        assert refused(planned, Transaction((write("b", claims=("name",)),))) == ("claim", "name")
        planned.add(Transaction((write("a", claims=("name",)),)))
        assert planned.moved_claims() == ([], [])

    def test_a_claim_may_pass_on_within_a_transaction_in_any_order(self) -> None:
        for writes in (
            (write("a", claims=("other",)), write("b", claims=("name",))),
            (write("b", claims=("name",)), write("a", claims=("other",))),
        ):
            planned = plan({A: 7}, {"name": A})
            planned.add(Transaction(writes))
            lost, gained = planned.moved_claims()
            assert lost == ["name"]
            assert sorted(gained) == [("name", *B), ("other", *A)]

    def test_no_two_of_a_transaction_claim_the_same(self) -> None:
        twice = Transaction((write("a", claims=("name",)), write("b", claims=("name",))))
        assert refused(plan(), twice) == ("claim", "name")

    def test_who_says_nothing_keeps_claims(self) -> None:
        planned = plan({A: 7}, {"name": A})
        planned.add(Transaction((write("a", claims=None),)))
        assert refused(planned, Transaction((write("b", claims=("name",)),))) == ("claim", "name")
        assert planned.moved_claims() == ([], [])

    def test_the_deleted_claim_nothing(self) -> None:
        planned = plan({A: 7}, {"name": A})
        planned.add(Transaction((write("a", None, claims=("name",)),)))
        assert planned.moved_claims() == (["name"], [])
        planned.add(Transaction((write("b", claims=("name",)),)))
        assert planned.moved_claims() == (["name"], [("name", *B)])

    def test_a_claim_goes_round_within_a_group(self) -> None:
        planned = plan({A: 7}, {"name": A})
        planned.add(Transaction((write("a", claims=()), write("b", claims=("name",)))))
        assert refused(planned, Transaction((write("a", claims=("name",)),))) == ("claim", "name")
        planned.add(Transaction((write("b", claims=("other",)), write("a", claims=("name",)))))
        assert planned.moved_claims() == ([], [("other", *B)])
        planned.add(Transaction((write("a", claims=("name", "more")),)))
        planned.add(Transaction((write("a", None),)))
        assert planned.moved_claims() == (["name"], [("other", *B)])

    def test_a_new_claim_that_is_given_up_again_moves_nothing(self) -> None:
        planned = plan()
        planned.add(Transaction((write("a", claims=("new",)),)))
        planned.add(Transaction((write("a", claims=()),)))
        assert planned.moved_claims() == ([], [])


class TestVacancy:
    def test_claims_that_are_known_and_stay(self) -> None:
        planned = plan({A: 7}, {"in/1/a": A})
        assert refused(planned, Transaction((write("b"),), vacant=("in/2/", "in/1/"))) == ("vacant", "in/1/")
        planned.add(Transaction((write("a", None),), vacant=("in/1/",)))
        planned.add(Transaction((), vacant=("in/1/",)))

    def test_claims_of_the_transaction_itself(self) -> None:
        assert refused(plan(), Transaction((write("a", claims=("in/1/a",)),), vacant=("in/1/",))) == ("vacant", "in/1/")

    def test_claims_that_are_only_stored(self) -> None:
        planned = plan(stored=("in/1/x",))
        assert refused(planned, Transaction((write("a"),), vacant=("in/1/",))) == ("vacant", "in/1/")
        assert planned.add(Transaction((write("a"),), vacant=("in/2/",))) == 11

    def test_a_stored_claim_that_the_group_has_moved_counts_no_more(self) -> None:
        planned = plan({A: 7}, {"in/1/a": A}, stored=("in/1/a",))
        planned.add(Transaction((write("a", claims=("in/2/a",)),), vacant=("in/1/",)))
        assert refused(planned, Transaction((write("b"),), vacant=("in/2/",))) == ("vacant", "in/2/")


def taking(amount: int, since: int, spare: int, name: str = "room") -> Transaction:
    return Transaction((write(f"{name}-{amount}"),), takings=(Taking(name, amount, since, spare),))


class TestTakings:
    def test_others_may_take_what_is_to_spare(self) -> None:
        planned = plan(taken=[(8, "room", 2), (9, "room", 3), (9, "other", 100)])
        assert refused(planned, taking(1, 7, 4)) == ("taking", "room")
        assert planned.add(taking(1, 7, 5)) == 11
        assert planned.add(taking(1, 8, 4)) == 12
        assert refused(planned, taking(1, 8, 4)) == ("taking", "room")
        assert planned.add(taking(1, 12, 0)) == 13
        assert planned.taken == [(11, "room", 1), (12, "room", 1), (13, "room", 1)]

    def test_who_takes_nothing_may_ask_that_nobody_has(self) -> None:
        planned = plan(taken=[(9, "room", 1)])
        assert refused(planned, taking(0, 8, 0)) == ("taking", "room")
        planned.add(taking(0, 9, 0))
        assert planned.taken == []
        planned.add(taking(1, 9, 0))
        assert refused(planned, taking(0, 9, 0)) == ("taking", "room")

    def test_what_is_forgotten_may_have_been_too_much(self) -> None:
        planned = plan(forgotten=5)
        assert refused(planned, taking(1, 4, 1000)) == ("taking", "room")
        assert planned.add(taking(1, 5, 0)) == 11
