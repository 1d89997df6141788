"""A vCenter that restarts."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from resphere.contract.errors import InvalidArgument
from resphere.contract.extensions.faults import VCenterFaults
from resphere.inventory.appliance.power import Action, PlannedShutdown, power_of
from tests.support.world import World

Spec = VCenterFaults.RestartSpec


def test_it_is_away_for_a_while(world: World) -> None:
    planned = PlannedShutdown(time=world.environment.now() + timedelta(days=1), action=Action.REBOOT, reason="later")
    world.run(world.environment.shutdowns.plan(planned))
    world.call(VCenterFaults.restart, Spec(away_seconds=2.5, absence=VCenterFaults.Absence.DROP))
    power = power_of(world.inventory)
    assert power.booted == world.environment.now() + timedelta(seconds=2.5)
    assert (power.absence, power.planned) == ("DROP", planned)
    world.call(VCenterFaults.restart, Spec(away_seconds=0))
    assert power_of(world.inventory).absence == "ERROR"


@pytest.mark.parametrize("seconds", [-1, 86_401, float("nan"), float("inf")])
def test_for_how_long(world: World, seconds: Any) -> None:
    with pytest.raises(InvalidArgument):
        world.call(VCenterFaults.restart, Spec(away_seconds=seconds))
