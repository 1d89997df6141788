"""Hosts that are not connected: no generated inventory has one."""

from __future__ import annotations

import pytest

from resphere.contract.errors import NotAllowedInCurrentState
from resphere.contract.extensions.hosts import Host as HostDetail
from resphere.contract.extensions.hosts import HostMaintenance
from resphere.contract.generated import ids, vcenter
from resphere.inventory.model import Host
from tests.support.world import World

State = vcenter.Host.ConnectionState
DOWN = [State.DISCONNECTED, State.NOT_RESPONDING]


@pytest.mark.parametrize("state", DOWN)
@pytest.mark.parametrize("action", list(HostMaintenance.Action))
def test_maintenance_is_refused(world: World, state: State, action: HostMaintenance.Action) -> None:
    host = world.change(next(iter(world.inventory.all(Host).values())), connection_state=state)
    with pytest.raises(NotAllowedInCurrentState) as refused:
        world.call(HostMaintenance.set, ids.HostSystemId(host.id), HostMaintenance.Spec(action=action))
    assert refused.value.messages[0].id == "resphere.host.maintenance.not_connected"
    assert refused.value.messages[0].args == (host.name, state)
    assert world.inventory.get(Host, host.id) == host


@pytest.mark.parametrize("state", DOWN)
def test_their_power_state_is_not_known(world: World, state: State) -> None:
    host = world.change(next(iter(world.inventory.all(Host).values())), connection_state=state)
    (row,) = world.call(vcenter.Host.list, vcenter.Host.FilterSpec(connection_states=frozenset([state])))
    assert (row.host, row.connection_state, row.power_state) == (host.id, state, None)
    shown = world.call(HostDetail.get, ids.HostSystemId(host.id))
    assert (shown.connection_state, shown.power_state) == (state, None)
