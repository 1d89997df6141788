"""Those who wait for events: who is woken by what, and with what."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any

import pytest

from resphere.events.audience import MOST_PASSED_OVER, WOKEN_AT_ONCE, Audience, Turn
from resphere.events.event import Deed, Event, Kind, Subject
from resphere.events.heard import Heard


class Ear:
    """Hears of machines of one name."""

    def __init__(self, name: str, user: str = "ann@vsphere.local", until: int = 2**63 - 1) -> None:
        self.key = name
        self.user = user
        self.until = until
        self.asked = 0

    def pieces(self, events: Sequence[Heard]) -> tuple[bytes, ...]:
        self.asked += 1
        return tuple(b"%d" % each.number for each in events if each.event.object.name == self.key)


class Broken(Ear):
    def pieces(self, events: Sequence[Heard]) -> tuple[bytes, ...]:
        raise ValueError("no such form")


def event(number: int, name: str) -> Heard:
    subject = Subject("VirtualMachine", "vm-1", name)
    return Heard(number, Event(time=0, type="VmCreatedEvent", kind=Kind.INVENTORY, deed=Deed.CREATED, object=subject))


def nobody(_user: str) -> bool:
    return False


def run(scenario: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(scenario, 60))


def test_a_circle_is_told_at_once_and_what_it_is_told_is_made_once() -> None:
    async def scenario() -> None:
        audience, ears = Audience(), [Ear("web") for _ in range(3 * WOKEN_AT_ONCE)]
        tasks = [audience.wait_in_circle(ear, 4) for ear in ears]
        await audience.hand_out(4, [event(5, "web"), event(6, "db"), event(7, "web")], nobody, follows=True)
        assert set(await asyncio.gather(*tasks)) == {Turn(7, (b"5", b"7"))}
        assert sum(ear.asked for ear in ears) == 1

    run(scenario())


def test_who_is_told_nothing_sleeps_on_and_goes_on_after_that() -> None:
    async def scenario() -> None:
        audience = Audience()
        task = audience.wait_in_circle(Ear("web"), 4)
        await audience.hand_out(4, [event(5, "db")], nobody, follows=True)
        await asyncio.sleep(0)
        assert not task.done()
        await audience.hand_out(5, [event(6, "web")], nobody, follows=True)
        assert await task == Turn(6, (b"6",))

    run(scenario())


def test_who_is_affected_goes_on_by_itself_and_others_are_told() -> None:
    async def scenario() -> None:
        audience = Audience()
        ann, bob = (audience.wait_in_circle(Ear("web"), 4), audience.wait_in_circle(Ear("db", "bob@vsphere.local"), 4))
        await audience.hand_out(4, [event(5, "web"), event(6, "db")], lambda user: user.startswith("ann"), follows=True)
        assert (await ann, await bob) == (Turn(4), Turn(6, (b"6",)))

    run(scenario())


def test_where_events_are_missing_each_finds_out_by_itself() -> None:
    async def scenario() -> None:
        audience = Audience()
        task = audience.wait_in_circle(Ear("web"), 4)
        await audience.hand_out(4, [event(9, "web")], nobody, follows=False)
        assert await task == Turn(4)

    run(scenario())


def test_who_has_more_than_was_handed_out_is_told_nothing_twice() -> None:
    async def scenario() -> None:
        audience = Audience()
        behind, level = (audience.wait_apart(6), audience.wait_apart(7))
        await audience.hand_out(4, [event(number, "web") for number in (5, 6, 7)], nobody, follows=True)
        assert await behind == Turn(6)
        assert not level.done()
        await audience.hand_out(7, [event(8, "web")], nobody, follows=True)
        assert await level == Turn(7)

    run(scenario())


def test_after_many_events_of_others_it_is_time_to_say_where_one_is() -> None:
    async def scenario() -> None:
        audience = Audience()
        task = audience.wait_in_circle(Ear("web"), 0)
        for number in range(1, MOST_PASSED_OVER + 1):
            assert not task.done()
            await audience.hand_out(number - 1, [event(number, "db")], nobody, follows=True)
        assert await task == Turn(MOST_PASSED_OVER, signs=True)

    run(scenario())


def test_a_beat_reaches_all_who_have_waited_since_the_last() -> None:
    async def scenario() -> None:
        audience, ear = Audience(), Ear("web")
        waiting = [audience.wait_in_circle(ear, 4), audience.wait_apart(7)]
        await audience.beat(4)
        late = [audience.wait_in_circle(ear, 4), audience.wait_apart(7)]
        assert not any(each.done() for each in waiting)
        await audience.beat(4)
        assert await asyncio.gather(*waiting) == [Turn(4, signs=True), Turn(7, signs=True)]
        assert not any(each.done() for each in late)
        await audience.hand_out(4, [event(5, "db")], nobody, follows=True)
        await audience.beat(5)
        assert await asyncio.gather(*late) == [Turn(5, signs=True), Turn(7, signs=True)]

    run(scenario())


def test_who_leaves_is_not_told_and_keeps_nobody_waiting() -> None:
    async def scenario() -> None:
        audience, ear = Audience(), Ear("web")
        gone, stays = (audience.wait_in_circle(ear, 4), audience.wait_in_circle(ear, 4))
        gone.cancel()
        await asyncio.gather(gone, return_exceptions=True)
        await audience.hand_out(4, [event(5, "web")], nobody, follows=True)
        assert await stays == Turn(5, (b"5",))
        last = audience.wait_in_circle(ear, 5)
        last.cancel()
        await asyncio.gather(last, return_exceptions=True)
        await audience.beat(5)
        await audience.beat(5)
        asked = ear.asked
        await audience.hand_out(5, [event(6, "web")], nobody, follows=True)
        assert ear.asked == asked

    run(scenario())


def test_what_cannot_be_told_is_met_by_those_it_is_for_and_by_nobody_else(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        audience = Audience()
        broken, well = (audience.wait_in_circle(Broken("db"), 4), audience.wait_in_circle(Ear("web"), 4))
        await audience.hand_out(4, [event(5, "web")], nobody, follows=True)
        assert (await broken, await well) == (Turn(4), Turn(5, (b"5",)))
        assert "no such form" in caplog.text

    run(scenario())


def test_nobody_is_forgotten_where_the_handing_out_ends_in_the_middle() -> None:
    async def scenario() -> None:
        audience = Audience()
        tasks = [audience.wait_in_circle(Ear("web"), 4) for _ in range(3 * WOKEN_AT_ONCE)]
        handing = asyncio.ensure_future(audience.hand_out(4, [event(5, "web")], nobody, follows=True))
        await asyncio.sleep(0)
        handing.cancel()
        assert set(await asyncio.gather(*tasks)) == {Turn(5, (b"5",))}

    run(scenario())


class Hands:
    """Of one reader, who takes what it is handed, or is slow."""

    def __init__(self) -> None:
        self.held: list[bytes] = []
        self.slow: asyncio.Future[None] | None = None

    def take(self, piece: bytes) -> asyncio.Future[None] | None:
        self.held.append(piece)
        return self.slow


class Gone(Hands):
    def take(self, piece: bytes) -> asyncio.Future[None] | None:
        raise ConnectionError("nobody is there")


def test_who_can_be_handed_what_it_is_sent_is_not_woken() -> None:
    async def scenario() -> None:
        audience, ear = Audience(), Ear("web")
        hands = [Hands() for _ in range(3 * WOKEN_AT_ONCE)]
        turns = [audience.wait_in_circle(ear, 4, each.take) for each in hands]
        await audience.hand_out(4, [event(5, "web")], nobody, follows=True)
        late = audience.wait_in_circle(ear, 5)
        await audience.hand_out(5, [event(6, "db")], nobody, follows=True)
        await audience.hand_out(6, [event(7, "web")], nobody, follows=True)
        assert all(each.held == [b"5", b"7"] for each in hands)
        assert not any(turn.done() for turn in turns)
        assert await late == Turn(7, (b"7",))

    run(scenario())


def test_several_pieces_and_the_last_ones_are_for_the_reader_itself_to_send() -> None:
    async def scenario() -> None:
        audience, hands = Audience(), Hands()
        several, over = (
            audience.wait_in_circle(Ear("web"), 4, hands.take),
            audience.wait_in_circle(Ear("db", until=6), 4, hands.take),
        )
        await audience.hand_out(4, [event(5, "web"), event(6, "db"), event(7, "web")], nobody, follows=True)
        assert (await several, await over) == (Turn(7, (b"5", b"7")), Turn(7, (b"6",)))
        assert not hands.held

    run(scenario())


def test_who_is_slow_to_take_it_waits_for_that_alone() -> None:
    async def scenario() -> None:
        audience, ear, slow, quick = Audience(), Ear("web"), Hands(), Hands()
        slow.slow = asyncio.get_running_loop().create_future()
        late, turn = (audience.wait_in_circle(ear, 4, slow.take), audience.wait_in_circle(ear, 4, quick.take))
        await audience.hand_out(4, [event(5, "web")], nobody, follows=True)
        await audience.hand_out(5, [event(6, "web")], nobody, follows=True)
        assert await late == Turn(5, rest=slow.slow)
        assert (slow.held, quick.held, turn.done()) == ([b"5"], [b"5", b"6"], False)

    run(scenario())


def test_who_cannot_be_handed_anything_meets_that_itself() -> None:
    async def scenario() -> None:
        audience, ear, hands = Audience(), Ear("web"), Hands()
        gone, left = audience.wait_in_circle(ear, 4, Gone().take), audience.wait_in_circle(ear, 4, Gone().take)
        stays = audience.wait_in_circle(ear, 4, hands.take)
        left.cancel()
        await audience.hand_out(4, [event(5, "web")], nobody, follows=True)
        with pytest.raises(ConnectionError, match="nobody is there"):
            await gone
        assert hands.held == [b"5"]
        assert not stays.done()

    run(scenario())


def test_who_was_handed_something_need_not_say_where_it_is_at_the_next_beat() -> None:
    async def scenario() -> None:
        audience, ear, hands = Audience(), Ear("web"), Hands()
        turn = audience.wait_in_circle(ear, 4, hands.take)
        await audience.beat(4)
        await audience.hand_out(4, [event(5, "web")], nobody, follows=True)
        await audience.beat(5)
        assert not turn.done()
        await audience.beat(5)
        assert await turn == Turn(5, signs=True)

    run(scenario())


def test_many_events_of_others_count_from_the_last_that_was_handed() -> None:
    async def scenario() -> None:
        audience, hands = Audience(), Hands()
        turn = audience.wait_in_circle(Ear("web"), 0, hands.take)
        await audience.hand_out(0, [event(1, "web")], nobody, follows=True)
        for number in range(2, MOST_PASSED_OVER + 2):
            assert not turn.done()
            await audience.hand_out(number - 1, [event(number, "db")], nobody, follows=True)
        assert await turn == Turn(MOST_PASSED_OVER + 1, signs=True)

    run(scenario())


def test_whoever_is_dismissed_while_events_are_handed_out_has_all_up_to_where_it_is_said_to_be() -> None:
    async def scenario() -> None:
        audience, ear = Audience(), Ear("web")
        hands = [Hands() for _ in range(3 * WOKEN_AT_ONCE)]
        turns = [audience.wait_in_circle(ear, 4, each.take) for each in hands]
        handing = asyncio.ensure_future(audience.hand_out(4, [event(5, "web")], nobody, follows=True))
        await asyncio.sleep(0)
        assert 0 < sum(bool(each.held) for each in hands) < len(hands)
        audience.dismiss(5)
        await handing
        assert set(await asyncio.gather(*turns)) == {Turn(5)}
        assert all(each.held == [b"5"] for each in hands)

    run(scenario())


def test_all_are_dismissed_at_once() -> None:
    async def scenario() -> None:
        audience = Audience()
        tasks = [audience.wait_in_circle(Ear("web"), 4), audience.wait_apart(7)]
        audience.dismiss(4)
        assert await asyncio.gather(*tasks) == [Turn(4), Turn(7)]

    run(scenario())
