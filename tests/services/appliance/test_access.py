"""The ways into the appliance beside its API, and its clock."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from resphere.contract.errors import InvalidArgument
from resphere.contract.generated.appliance import Ntp, Timesync
from resphere.contract.generated.appliance_access import Consolecli, Dcui, Shell, Ssh
from resphere.contract.generated.appliance_system import Time
from resphere.contract.generated.appliance_system_time import Timezone
from resphere.contract.model import Operation
from tests.services.vcenter.building import refused
from tests.support.world import NOW, World

Servers = Operation[[tuple[str, ...]], Any]
INVALID = (400, "resphere.appliance.invalid")


@pytest.mark.parametrize(("service", "installed"), [(Consolecli, True), (Dcui, True), (Ssh, False)])
def test_ways_in_are_turned_on_and_off(world: World, service: type[Consolecli | Dcui | Ssh], installed: bool) -> None:
    assert world.call(service.get) is installed
    world.call(service.set, not installed)
    assert world.call(service.get) is not installed


class TestShell:
    def test_it_ends_after_its_time(self, world: World) -> None:
        closed = Shell.ShellConfig(enabled=False, timeout=0)
        assert world.call(Shell.get) == closed
        world.call(Shell.set, Shell.ShellConfig(enabled=True, timeout=600))
        assert world.call(Shell.get) == Shell.ShellConfig(enabled=True, timeout=600)
        world.environment = msgspec.structs.replace(world.environment, now=lambda: NOW + timedelta(seconds=600))
        assert world.call(Shell.get) == closed

    def test_without_a_time_it_stays(self, world: World) -> None:
        world.call(Shell.set, Shell.ShellConfig(enabled=True, timeout=0))
        world.environment = msgspec.structs.replace(world.environment, now=lambda: NOW + timedelta(days=2))
        assert world.call(Shell.get).enabled
        world.call(Shell.set, Shell.ShellConfig(enabled=False, timeout=60))
        assert world.call(Shell.get) == Shell.ShellConfig(enabled=False, timeout=0)

    @pytest.mark.parametrize("timeout", [-1, 86_401])
    def test_at_most_a_day(self, world: World, timeout: int) -> None:
        with pytest.raises(InvalidArgument, match=r"config\.timeout") as error:
            world.call(Shell.set, Shell.ShellConfig(enabled=True, timeout=timeout))
        assert refused(error) == INVALID


class TestTime:
    def test_as_vcenter_writes_it(self, world: World) -> None:
        world.call(Timezone.set, "Europe/Berlin")
        told = world.call(Time.get)
        local = NOW.astimezone(ZoneInfo("Europe/Berlin"))
        assert told.seconds_since_epoch == NOW.timestamp()
        assert (told.date, told.time) == (f"{local:%a %m-%d-%Y}", f"{local:%I:%M:%S %p}")
        assert told.timezone == local.tzname()

    def test_as_installed(self, world: World) -> None:
        assert world.call(Timezone.get) == "Etc/UTC"
        assert world.call(Time.get).timezone == "UTC"

    @pytest.mark.parametrize("name", ["", "Mars/Olympus", "../etc/passwd", "europe/berlin", "x" * 10_000])
    def test_zones_that_are_none(self, world: World, name: str) -> None:
        with pytest.raises(InvalidArgument, match="name: ") as error:
            world.call(Timezone.set, name)
        assert refused(error) == INVALID
        assert world.call(Timezone.get) == "Etc/UTC"

    def test_by_what_the_clock_goes(self, world: World) -> None:
        assert world.call(Timesync.get) is Timesync.TimeSyncMode.HOST
        world.call(Timesync.set, Timesync.TimeSyncMode.NTP)
        assert world.call(Timesync.get) is Timesync.TimeSyncMode.NTP


class TestNtp:
    def test_servers_are_kept(self, world: World) -> None:
        assert world.call(Ntp.get) == ()
        world.call(Ntp.set, ("time.example.org", "192.0.2.1", "2001:db8::1"))
        assert world.call(Ntp.get) == ("time.example.org", "192.0.2.1", "2001:db8::1")
        world.call(Ntp.set, ())
        assert world.call(Ntp.get) == ()

    @pytest.mark.parametrize("server", ["", "not a host", "10.0.0.300", "-x", "a" * 254, "http://time"])
    @pytest.mark.parametrize("operation", [Ntp.set, Ntp.test])
    def test_servers_that_are_none(
        self, world: World, operation: Operation[[tuple[str, ...]], Any], server: str
    ) -> None:
        with pytest.raises(InvalidArgument, match=r"servers\[1\]: ") as error:
            world.call(operation, ("time.example.org", server))
        assert refused(error) == INVALID

    def test_too_many(self, world: World) -> None:
        with pytest.raises(InvalidArgument, match="65 are more than 64"):
            world.call(Ntp.set, ("192.0.2.1",) * 65)

    def test_a_test_asks(self, world: World) -> None:
        here, elsewhere = world.call(Ntp.test, ("127.0.0.1", "192.0.2.1"))
        assert here.status is Ntp.ServerStatus.SERVER_UNREACHABLE
        assert here.message.id == "resphere.fetching.unreachable"
        assert elsewhere.message.id == "resphere.fetching.not_allowed"
