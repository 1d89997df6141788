"""Shutdowns that are planned, forgotten and done."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from resphere.appliance.shutdowns import Shutdowns
from resphere.auth.sessions import Session, end_all_sessions
from resphere.contract.errors import InvalidArgument
from resphere.contract.generated.appliance import Shutdown
from resphere.contract.generated.appliance_system import Uptime
from resphere.contract.model import Operation
from resphere.inventory.appliance.power import Action, power_of
from tests.services.vcenter.building import refused
from tests.support.world import NOW, World

NOTHING = Shutdown.ShutdownConfig(action="", reason="")
IN_TWO_MINUTES = NOW + timedelta(minutes=2)


@pytest.fixture(autouse=True)
def away_for_a_minute(world: World) -> None:
    shut_down_by(world, None)


def shut_down_by(world: World, end_server: Callable[[], None] | None) -> None:
    """Have a reboot take a minute, and the end of the server be what is said."""
    shutdowns = Shutdowns(
        world.inventory,
        lambda: world.environment.now(),
        lambda edit: end_all_sessions(edit, world.inventory),
        60.0,
        end_server,
    )
    world.environment = msgspec.structs.replace(world.environment, shutdowns=shutdowns)


def go_to(world: World, moment: datetime) -> None:
    world.environment = msgspec.structs.replace(world.environment, now=lambda: moment)


def with_session(world: World) -> None:
    world.put(Session(id="digest", user="root", created_time=NOW, last_accessed_time=NOW))


def test_nothing_is_planned(world: World) -> None:
    assert world.call(Shutdown.get) == NOTHING
    world.call(Shutdown.cancel)
    assert world.call(Shutdown.get) == NOTHING


def test_what_is_planned_is_shown_replaced_and_forgotten(world: World) -> None:
    world.call(Shutdown.reboot, 2, "a patch")
    planned = Shutdown.ShutdownConfig(shutdown_time=IN_TWO_MINUTES, action="reboot", reason="a patch")
    assert world.call(Shutdown.get) == planned
    world.call(Shutdown.poweroff, 5, "")
    assert world.call(Shutdown.get) == Shutdown.ShutdownConfig(
        shutdown_time=NOW + timedelta(minutes=5), action="poweroff", reason=""
    )
    world.call(Shutdown.cancel)
    assert world.call(Shutdown.get) == NOTHING
    assert power_of(world.inventory).booted == NOW


@pytest.mark.parametrize("operation", [Shutdown.reboot, Shutdown.poweroff])
def test_at_once(world: World, operation: Operation[[int, str], None]) -> None:
    with_session(world)
    go_to(world, NOW + timedelta(days=1))
    assert world.call(Uptime.get) == 86400
    world.call(operation, 0, "now")
    assert not world.inventory.all(Session)
    assert world.call(Shutdown.get) == NOTHING
    assert power_of(world.inventory).booted == NOW + timedelta(days=1, seconds=60)
    assert world.call(Uptime.get) == 0
    go_to(world, NOW + timedelta(days=1, seconds=70))
    assert world.call(Uptime.get) == 10


@pytest.mark.parametrize("delay", [-1, 365 * 24 * 60 + 1, 2**63 - 1])
def test_no_delay(world: World, delay: int) -> None:
    for operation in (Shutdown.reboot, Shutdown.poweroff):
        with pytest.raises(InvalidArgument) as error:
            world.call(operation, delay, "")
        assert refused(error) == (400, "resphere.appliance.invalid")
        assert error.value.messages[0].args[0] == "delay"
    assert world.call(Shutdown.get) == NOTHING


def test_the_clock_does_it_when_it_is_due(world: World) -> None:
    async def pass_by() -> None:
        running = asyncio.ensure_future(world.environment.shutdowns.run())
        done = asyncio.Event()
        end = world.inventory.subscribe(Session, lambda _, __: done.set())
        await world.begin(Shutdown.reboot, 2, "")
        go_to(world, IN_TWO_MINUTES + timedelta(seconds=1))
        await done.wait()
        end()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    with_session(world)
    world.run(pass_by())
    assert not world.inventory.all(Session)
    assert world.call(Shutdown.get) == NOTHING
    assert power_of(world.inventory).booted == datetime(2026, 1, 2, 3, 7, 6, tzinfo=UTC)


@pytest.mark.parametrize("delay", [0, 2])
def test_powered_off_the_server_ends(world: World, delay: int, caplog: pytest.LogCaptureFixture) -> None:
    async def pass_by() -> None:
        ended = asyncio.Event()
        shut_down_by(world, ended.set)
        running = asyncio.ensure_future(world.environment.shutdowns.run())
        await asyncio.sleep(0)
        await world.begin(Shutdown.poweroff, delay, "the power fails")
        go_to(world, IN_TWO_MINUTES)
        await ended.wait()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    with_session(world)
    world.run(pass_by())
    power = power_of(world.inventory)
    assert power.powered_off is not None
    assert (power.powered_off.action, power.planned, power.booted) == (Action.POWEROFF, None, NOW)
    assert not world.inventory.all(Session)
    assert "the appliance was powered off (the power fails): the server ends" in caplog.text
