"""Services of the operating system and of vCenter, as the appliance shows, starts and stops them."""

from __future__ import annotations

import pytest

from resphere.contract.errors import NotAllowedInCurrentState, NotFound
from resphere.contract.generated import ids
from resphere.contract.generated.appliance import Services
from resphere.contract.generated.appliance_vmon import Service
from resphere.contract.generated.vcenter_services import Service as VcenterService
from tests.services.vcenter.building import refused
from tests.support.world import World

NTPD = ids.ApplianceServicesId("ntpd")
VMON = ids.ApplianceServicesId("vmware-vmon")
NO_SERVICE = ids.ApplianceServicesId("nothing")
UI, OWN = ids.ApplianceVmonServiceId("vsphere-ui"), ids.ApplianceVmonServiceId("vpxd")
NONE = ids.ApplianceVmonServiceId("nothing")


class TestOfTheOperatingSystem:
    def test_as_installed(self, world: World) -> None:
        services = world.call(Services.list)
        assert services[NTPD] == Services.Info(description="Network Time Service", state=Services.State.STARTED)
        assert services["auditd"].state is Services.State.STOPPED

    def test_they_stop_and_start(self, world: World) -> None:
        world.call(Services.stop, NTPD)
        world.call(Services.stop, NTPD)
        assert world.call(Services.get, NTPD).state is Services.State.STOPPED
        assert world.call(Services.list)[NTPD].state is Services.State.STOPPED
        world.call(Services.start, NTPD)
        assert world.call(Services.get, NTPD).state is Services.State.STARTED
        world.call(Services.stop, NTPD)
        world.call(Services.restart, NTPD)
        assert world.call(Services.get, NTPD).state is Services.State.STARTED

    def test_what_carries_the_api_does_not_stop(self, world: World) -> None:
        for stop in (Services.stop, Services.restart):
            with pytest.raises(NotAllowedInCurrentState) as error:
                world.call(stop, VMON)
            assert refused(error) == (400, "resphere.appliance.service_own")
        world.call(Services.start, VMON)
        assert world.call(Services.get, VMON).state is Services.State.STARTED

    def test_unknown_ones(self, world: World) -> None:
        with pytest.raises(NotFound):
            world.call(Services.get, NO_SERVICE)
        for operation in (Services.start, Services.stop, Services.restart):
            with pytest.raises(NotFound) as error:
                world.call(operation, NO_SERVICE)
            assert refused(error) == (404, "resphere.appliance.service_unknown")


class TestOfVcenter:
    def test_both_lists_agree(self, world: World) -> None:
        world.call(Service.stop, UI)
        world.call(VcenterService.stop, ids.VcenterServicesServiceId("eam"))
        mine, vcenters = world.call(Service.list_details), world.call(VcenterService.list_details)
        assert {name: each.state.value for name, each in mine.items()} == {
            name: each.state.value for name, each in vcenters.items()
        }
        assert mine[UI].state is mine["eam"].state is Service.State.STOPPED
        assert world.call(Service.get, UI) == mine[UI]
        assert mine["vpxd"].name_key == "cis.vpxd.ServiceName"

    def test_they_stop_start_and_are_disabled(self, world: World) -> None:
        disabled = Service.UpdateSpec(startup_type=Service.StartupType.DISABLED)
        with pytest.raises(NotAllowedInCurrentState) as error:
            world.call(Service.update, UI, disabled)
        assert refused(error) == (400, "resphere.service.not_stopped")
        world.call(Service.stop, UI)
        world.call(Service.update, UI, disabled)
        world.call(Service.update, UI, Service.UpdateSpec())
        for start in (Service.start, Service.restart):
            with pytest.raises(NotAllowedInCurrentState) as error:
                world.call(start, UI)
            assert refused(error) == (400, "resphere.service.disabled")
        world.call(Service.update, UI, Service.UpdateSpec(startup_type=Service.StartupType.AUTOMATIC))
        world.call(Service.restart, UI)
        assert world.call(Service.get, UI).state is Service.State.STARTED

    def test_this_server_itself_does_not_stop(self, world: World) -> None:
        for stop in (Service.stop, Service.restart):
            with pytest.raises(NotAllowedInCurrentState) as error:
                world.call(stop, OWN)
            assert refused(error) == (400, "resphere.service.own")

    def test_unknown_ones(self, world: World) -> None:
        with pytest.raises(NotFound):
            world.call(Service.get, NONE)
        for operation in (Service.start, Service.stop, Service.restart):
            with pytest.raises(NotFound) as error:
                world.call(operation, NONE)
            assert refused(error) == (404, "resphere.service.not_found")
        with pytest.raises(NotFound):
            world.call(Service.update, NONE, Service.UpdateSpec())
