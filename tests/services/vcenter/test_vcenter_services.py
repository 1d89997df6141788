"""The services of the appliance: what starts and stops, and what does not."""

from __future__ import annotations

import pytest

from resphere.contract.errors import NotAllowedInCurrentState, NotFound
from resphere.contract.generated import ids
from resphere.contract.generated.vcenter_services import Service
from resphere.services.checks.vcenter_services import OWN
from tests.services.vcenter.building import refused
from tests.support.world import World

UI = ids.VcenterServicesServiceId("vsphere-ui")
DUMPER = ids.VcenterServicesServiceId("netdumper")
DISABLED = Service.UpdateSpec(startup_type=Service.StartupType.DISABLED)


def state(world: World, service: ids.VcenterServicesServiceId) -> Service.State:
    return world.call(Service.get, service).state


def test_what_a_fresh_vcenter_runs(world: World) -> None:
    services = world.call(Service.list_details)
    assert services["vpxd"].state is Service.State.STARTED
    assert services["vpxd"].health is Service.Health.HEALTHY
    assert (services["netdumper"].startup_type, services["netdumper"].health) == (Service.StartupType.MANUAL, None)
    assert services[UI] == world.call(Service.get, UI)


def test_a_service_stops_and_starts(world: World) -> None:
    world.call(Service.stop, UI)
    assert state(world, UI) is Service.State.STOPPED
    assert world.call(Service.list_details)[UI].health is None
    world.call(Service.stop, UI)
    world.call(Service.restart, UI)
    assert state(world, UI) is Service.State.STARTED
    world.call(Service.restart, UI)
    world.call(Service.start, UI)
    assert state(world, UI) is Service.State.STARTED


def test_what_answers_the_call_does_not_stop(world: World) -> None:
    for own in sorted(OWN):
        for operation in (Service.stop, Service.restart):
            with pytest.raises(NotAllowedInCurrentState) as error:
                world.call(operation, ids.VcenterServicesServiceId(own))
            assert refused(error) == (400, "resphere.service.own")
        assert state(world, ids.VcenterServicesServiceId(own)) is Service.State.STARTED


def test_only_what_is_stopped_can_be_disabled(world: World) -> None:
    with pytest.raises(NotAllowedInCurrentState) as error:
        world.call(Service.update, UI, DISABLED)
    assert refused(error) == (400, "resphere.service.not_stopped")
    world.call(Service.update, DUMPER, Service.UpdateSpec())
    assert world.call(Service.get, DUMPER).startup_type is Service.StartupType.MANUAL
    world.call(Service.update, DUMPER, DISABLED)
    for operation in (Service.start, Service.restart):
        with pytest.raises(NotAllowedInCurrentState) as error:
            world.call(operation, DUMPER)
        assert refused(error) == (400, "resphere.service.disabled")
    world.call(Service.update, DUMPER, Service.UpdateSpec(startup_type=Service.StartupType.AUTOMATIC))
    world.call(Service.start, DUMPER)
    assert state(world, DUMPER) is Service.State.STARTED


def test_an_unknown_service(world: World) -> None:
    unknown = ids.VcenterServicesServiceId("vpxe")
    for operation in (Service.start, Service.stop, Service.restart):
        with pytest.raises(NotFound) as error:
            world.call(operation, unknown)
        assert refused(error) == (404, "resphere.service.not_found")
    with pytest.raises(NotFound):
        state(world, unknown)
    with pytest.raises(NotFound):
        world.call(Service.update, unknown, Service.UpdateSpec())
