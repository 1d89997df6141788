"""How many bytes of bodies are held, and that one address never takes them all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resphere.contract.errors import ServiceUnavailable
from resphere.server.budget import LARGE_BYTES, UNCOUNTED_BYTES, Budget, Budgets, Holding

HERE, THERE, ELSEWHERE = "192.0.2.1", "192.0.2.2", "2001:db8::1"


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
    budgets = Budgets(Budget(0), Budget(0), Budget(0))
    for _ in range(100):
        Holding(budgets, HERE).grow(UNCOUNTED_BYTES, known=False)
    with pytest.raises(ServiceUnavailable):
        Holding(budgets, HERE).grow(UNCOUNTED_BYTES + 1, known=False)


@pytest.mark.parametrize("known", [True, False])
def test_strangers_have_a_budget_of_their_own(known: bool) -> None:
    budgets = Budgets(Budget(1000), Budget(1000), Budget(1000))
    holding = Holding(budgets, HERE)
    holding.grow(UNCOUNTED_BYTES, known=not known)
    holding.grow(300, known=known)
    holding.grow(100, known=not known)
    held = budgets.known if known else budgets.strangers
    assert (held.held_bytes, budgets.known.held_bytes + budgets.strangers.held_bytes) == (400, 400)
    holding.release()
    holding.release()
    assert held.held_bytes == 0
