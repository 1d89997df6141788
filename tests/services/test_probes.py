"""Whether a worker is alive and ready, as those see it who run it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from resphere.contract.errors import ServiceUnavailable
from resphere.contract.extensions.probes import Probes
from resphere.contract.generated.appliance_health import Database
from resphere.store.base import StoreError
from tests.support.world import NOW, World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as world:
        yield world


def later(world: World, seconds: float) -> None:
    world.environment = msgspec.structs.replace(world.environment, now=lambda: NOW + timedelta(seconds=seconds))


def test_a_worker_is_alive_and_ready(world: World) -> None:
    assert world.call(Probes.live) == world.call(Probes.ready) == Probes.Info(status="ok")


@pytest.mark.parametrize("error", [StoreError("disk full"), OSError("gone")])
def test_one_whose_store_does_not_write_is_not_ready_and_is_again(
    world: World, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    async def fails(*_: object) -> int:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(world.store, "commit", fails)
        with pytest.raises(ServiceUnavailable) as refused:
            world.call(Probes.ready)
        assert [each.id for each in refused.value.messages] == ["resphere.appliance.health.database_fails"]
        assert world.call(Database.get).status is Database.Info.Status.UNHEALTHY
        assert world.call(Probes.live).status == "ok"
    later(world, 0.5)
    with pytest.raises(ServiceUnavailable):
        world.call(Probes.ready)
    later(world, 1)
    assert world.call(Probes.ready).status == "ok"
    assert world.call(Database.get).status is Database.Info.Status.HEALTHY


def test_however_many_ask_it_is_looked_at_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    commits, commit = [], world.store.commit

    async def counted(transaction: object) -> int:
        commits.append(transaction)
        return await commit(transaction)  # type: ignore[arg-type]

    monkeypatch.setattr(world.store, "commit", counted)

    async def many() -> None:
        await asyncio.gather(*(world.environment.readiness.look() for _ in range(50)))
        await world.environment.readiness.look()

    world.run(many())
    assert len(commits) == 1


def test_who_has_given_up_leaves_the_look_to_others(world: World) -> None:
    async def two() -> None:
        readiness = world.environment.readiness
        first, second = (asyncio.ensure_future(readiness.look()) for _ in range(2))
        await asyncio.sleep(0)
        first.cancel()
        assert (await second).messages == ()

    world.run(two())


def test_one_that_is_about_to_end_is_not_ready(world: World) -> None:
    world.environment.feed.stopping = True
    with pytest.raises(ServiceUnavailable) as refused:
        world.call(Probes.ready)
    assert [each.id for each in refused.value.messages] == ["resphere.probes.stopping"]
    assert world.call(Probes.live).status == "ok"
