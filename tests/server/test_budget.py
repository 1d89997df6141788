"""How many bytes of bodies are held, and that one address never takes them all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resphere.contract.errors import ServiceUnavailable
from resphere.server.budget import LARGE_BYTES, UNCOUNTED_BYTES, UNFINISHED_BYTES, Budget, Budgets, Callers, Holding

HERE, THERE, ELSEWHERE = "192.0.2.1", "192.0.2.2", "2001:db8::1"


def budgets_of(size_bytes: int, unfinished: int = 10) -> Budgets:
    def callers() -> Callers:
        return Callers(Budget(size_bytes), Budget(unfinished * UNFINISHED_BYTES, always_bytes=2 * UNFINISHED_BYTES))

    return Budgets(callers(), callers(), Budget(size_bytes))


def test_one_address_takes_no_more_than_is_left() -> None:
    budget = Budget(100)
    budget.take(HERE, 50)
    with pytest.raises(ServiceUnavailable) as refusal:
        budget.take(HERE, 1)
    assert refusal.value.status == 503
    assert refusal.value.headers == (("Retry-After", "2"),)
    budget.take(THERE, 25)
    with pytest.raises(ServiceUnavailable):
        budget.take(THERE, 1)
    budget.take(ELSEWHERE, 12)
    budget.give_back(HERE, 50)
    budget.take(THERE, 1)
    assert budget.held_bytes == 38


@given(st.lists(st.tuples(st.sampled_from([HERE, THERE, ELSEWHERE]), st.integers(1, 60)), max_size=40))
def test_the_most_is_never_passed_and_all_comes_back(asked: list[tuple[str, int]]) -> None:
    budget = Budget(100)
    taken = []
    for address, size in asked:
        try:
            budget.take(address, size)
        except ServiceUnavailable:
            continue
        taken.append((address, size))
        assert budget.held_bytes == sum(size for _, size in taken) <= 100
    # Whoever holds nothing yet finds room, if little is left for each one more.
    if budget.held_bytes < 100:
        budget.take("192.0.2.9", 1)
        budget.give_back("192.0.2.9", 1)
    for address, size in taken:
        budget.give_back(address, size)
    assert budget.held_bytes == 0
    budget.take(HERE, 50)


def test_memory_is_given_back_once_nothing_is_held_any_more() -> None:
    told: list[None] = []
    budget = Budget(10 * LARGE_BYTES, lambda: told.append(None))
    budget.take(HERE, 100)
    budget.give_back(HERE, 100)
    assert not told
    budget.take(HERE, LARGE_BYTES)
    budget.take(THERE, 1)
    budget.give_back(HERE, LARGE_BYTES)
    assert not told
    budget.give_back(THERE, 1)
    assert len(told) == 1


def test_small_bodies_need_no_room() -> None:
    budgets = budgets_of(0)
    for _ in range(100):
        Holding(budgets, HERE).grow(UNCOUNTED_BYTES, known=False)
    with pytest.raises(ServiceUnavailable):
        Holding(budgets, HERE).grow(UNCOUNTED_BYTES + 1, known=False)


@pytest.mark.parametrize("known", [True, False])
def test_strangers_have_a_budget_of_their_own(known: bool) -> None:
    budgets = budgets_of(1000)
    holding = Holding(budgets, HERE)
    holding.grow(UNCOUNTED_BYTES, known=not known)
    holding.grow(300, known=known)
    holding.grow(100, known=not known)
    held = budgets.of(known=known).bodies
    assert (held.held_bytes, budgets.known.bodies.held_bytes + budgets.strangers.bodies.held_bytes) == (400, 400)
    holding.release()
    holding.release()
    assert held.held_bytes == 0


def test_each_address_has_a_little_however_much_others_hold() -> None:
    budget = Budget(100, always_bytes=10)
    budget.take(HERE, 50)
    budget.take(THERE, 50 - 1 - 24)
    for address in (ELSEWHERE, "192.0.2.8", "192.0.2.9"):
        budget.take(address, 10)
    with pytest.raises(ServiceUnavailable):
        budget.take("192.0.2.9", 1)
    with pytest.raises(ServiceUnavailable):
        budget.take(HERE, 1)


@pytest.mark.parametrize("known", [True, False])
def test_so_many_requests_are_waited_for(known: bool) -> None:
    budgets = budgets_of(1000)
    waited_for = [Holding(budgets, HERE) for _ in range(5)]
    for holding in waited_for * 2:  # for each piece of it
        holding.wait(known=known)
    more = Holding(budgets, HERE)
    with pytest.raises(ServiceUnavailable):
        more.wait(known=known)
    Holding(budgets, HERE).wait(known=not known)
    for _ in range(2):
        Holding(budgets, THERE).wait(known=known)
    # One that has come takes nothing any more, nor one that was given up.
    waited_for[0].arrive()
    waited_for[1].release()
    more.wait(known=known)
    for holding in (*waited_for, more):
        holding.release()
        holding.release()
    assert budgets.of(known=known).unfinished.held_bytes == 2 * UNFINISHED_BYTES
