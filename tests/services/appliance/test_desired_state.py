"""vCenter's settings as one state: told, checked, compared, applied, and kept as a profile."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from resphere.access.principal import Principal
from resphere.contract.errors import AlreadyExists, InvalidArgument, NotAllowedInCurrentState, NotFound, Unauthorized
from resphere.contract.generated import (
    appliance_vcenter_settings_v1_config_components_applmgmt as form,
)
from resphere.contract.generated import cis, cis_task, ids
from resphere.contract.generated.appliance import Ntp
from resphere.contract.generated.appliance_access import Ssh
from resphere.contract.generated.appliance_networking import Proxy
from resphere.contract.generated.appliance_networking_dns import Servers
from resphere.contract.generated.appliance_vcenter_settings_v1 import Config, ConfigCurrent, DesiredState
from resphere.contract.generated.appliance_vcenter_settings_v1_config_components_inventory import InventoryManagement
from resphere.contract.model import Secret
from resphere.inventory.appliance.desired_profile import DesiredProfile
from resphere.inventory.appliance.networking import Proxies
from resphere.inventory.appliance.settings import ApplianceSetting, setting_of
from resphere.recovery.record import RestoreJob, State
from resphere.services.appliance.vcenter.settings.v1.results import (
    ApplyResult,
    ApplyStatus,
    CheckResult,
    ComplianceStatus,
    ScanResult,
    StatusType,
)
from tests.support.profiles import PASSWORDS, authorize, change_everything, first_started
from tests.support.world import NOW, Caller, World

Id = ids.CisTaskId
Status = ComplianceStatus
NONE: frozenset[str] = frozenset()
OF_APPLIANCE = frozenset({"appliance"})
NTP = form.ApplianceManagement(datetime_config=form.DatetimeConfig(ntp=form.Ntp(servers=("time.example.org",))))
WANTED = DesiredState(appliance=NTP)
WRONG = DesiredState(
    appliance=form.ApplianceManagement(
        datetime_config=form.DatetimeConfig(ntp=form.Ntp(servers=("-x",))),
        network=form.ApplianceNetwork(
            dns_server_configuration=form.DnsServerConfiguration(
                mode=form.DnsServerConfiguration.DNSServerMode.IS_STATIC, servers=()
            )
        ),
    )
)
ELSEWHERE = DesiredState(appliance=NTP, inventory=InventoryManagement())


@pytest.fixture
def world(world: World) -> World:
    """With an administrator, as at a first start."""
    return first_started(world)


def current(world: World, *components: str) -> DesiredState:
    return world.call(ConfigCurrent.get, None, frozenset(components) or None)


def info(world: World, task: ids.CisTASKId) -> cis_task.Info:
    return world.call(cis.Tasks.get, Id(task), None)


def applied(world: World, state: DesiredState) -> cis_task.Info:
    spec = Config.ApplyDesiredStateSpec(desired_state=state, apply_spec=Config.ApplySpec(message="so be it"))
    return info(world, world.call(Config.apply_desired_state_task, spec))


def checked(world: World, state: DesiredState) -> CheckResult:
    spec = Config.CheckDesiredStateSpec(desired_state=state, check_spec=Config.CheckSpec(message="would it do?"))
    result = info(world, world.call(Config.check_desired_state_task, spec)).result
    assert isinstance(result, CheckResult)
    return result


def scanned(world: World, state: DesiredState) -> ScanResult:
    spec = Config.ScanSpec(message="is it so?", desired_state=state)
    result = info(world, world.call(Config.scan_desired_state_task, spec)).result
    assert isinstance(result, ScanResult)
    return result


def create(world: World, state: DesiredState = WANTED, name: str = "usual") -> str:
    return world.call(Config.create, Config.CreateSpec(name=name, description="As all are", desired_state=state))


def test_what_is_told_can_be_applied(world: World) -> None:
    change_everything(world)
    authorize(world)
    state = current(world)
    before = dict(world.inventory.all(ApplianceSetting))
    assert applied(world, state).error is None
    assert dict(world.inventory.all(ApplianceSetting)) == before
    assert scanned(world, state).status == "COMPLIANT"
    assert current(world, "authmgmt") == DesiredState(authmgmt=state.authmgmt)
    assert current(world, "appliance") == DesiredState(appliance=state.appliance)
    assert state.appliance is not None
    assert state.appliance.network is not None
    assert not [each for each in PASSWORDS if each.encode() in msgspec.json.encode(state)]


def test_components_that_are_none(world: World) -> None:
    with pytest.raises(InvalidArgument, match="'network' is none of appliance, authmgmt"):
        current(world, "network")


def test_a_state_is_applied_whole(world: World) -> None:
    world.call(Ssh.set, True)
    done = applied(world, WANTED)
    assert isinstance(done.result, ApplyResult)
    assert (done.result.status, done.result.success) == (ApplyStatus.SUCCESS, OF_APPLIANCE)
    assert done.result.notifications.info is not None
    assert done.result.notifications.info[0].message.default_message == "so be it"
    assert world.call(Ntp.get) == ("time.example.org",)
    assert world.call(Ssh.get)
    failed = applied(world, WRONG).error
    assert failed is not None
    assert failed.error_type == "INVALID_ARGUMENT"
    assert len(failed.messages) == 2
    assert world.call(Ntp.get) == ("time.example.org",)
    with pytest.raises(InvalidArgument, match=r"desired_state\.inventory"):
        applied(world, ELSEWHERE)


def test_a_check_changes_nothing(world: World) -> None:
    good = checked(world, WANTED)
    assert (good.impact.status, good.impact.apply_impact) == ("VALID", "NO_IMPACT")
    assert (good.valid, good.invalid, good.profile, good.version) == (OF_APPLIANCE, NONE, "", "")
    bad = checked(world, WRONG)
    assert (bad.impact.status, bad.valid, bad.invalid) == (StatusType.INVALID, NONE, OF_APPLIANCE)
    assert bad.impact.notifications.errors is not None
    assert "desired_state.appliance.network.dns_server_configuration.servers" in str(bad.impact.notifications.errors)
    assert checked(world, ELSEWHERE).invalid == {"inventory"}
    assert world.call(Ntp.get) == ()
    assert not world.inventory.all(ApplianceSetting)


def test_a_scan_tells_what_differs(world: World) -> None:
    network = form.ApplianceNetwork(
        dns_server_configuration=form.DnsServerConfiguration(
            mode=form.DnsServerConfiguration.DNSServerMode.IS_STATIC, servers=("192.0.2.53",)
        )
    )
    world.call(Servers.set, Servers.DNSServerConfig(mode=Servers.DNSServerMode.is_static, servers=("192.0.2.1",)))
    state = replace(WANTED, appliance=replace(NTP, network=network, access_settings=None))
    found = scanned(world, state)
    assert (found.status, found.non_compliant, found.compliant) == (Status.NON_COMPLIANT, OF_APPLIANCE, NONE)
    differing = found.compliance_result["appliance"].diff_results
    assert set(differing) == {"/datetime_config/ntp/servers", "/network/dns_server_configuration/servers"}
    ntp, dns = differing["/datetime_config/ntp/servers"], differing["/network/dns_server_configuration/servers"]
    assert (ntp.current_value, ntp.desired_value) == ("[]", '["time.example.org"]')
    assert (dns.current_value, dns.desired_value, dns.category) == ('["192.0.2.1"]', '["192.0.2.53"]', "network")
    applied(world, state)
    found = scanned(world, state)
    assert (found.status, found.compliant) == (Status.COMPLIANT, OF_APPLIANCE)
    assert not found.compliance_result


def test_a_scan_of_what_cannot_be(world: World) -> None:
    found = scanned(world, WRONG)
    assert (found.status, found.unavailable) == (Status.UNAVAILABLE, OF_APPLIANCE)
    found = scanned(world, ELSEWHERE)
    assert (found.unavailable, found.non_compliant) == (frozenset({"inventory"}), OF_APPLIANCE)


def test_a_scan_tells_no_password(world: World) -> None:
    change_everything(world)

    def state(password: str) -> DesiredState:
        proxy = form.ProxyConfiguration(
            protocol=form.ProxyConfiguration.Protocol.HTTP,
            server="proxy.example.org",
            port=3128,
            username="user",
            password=Secret(password),
            enabled=True,
        )
        return DesiredState(
            appliance=form.ApplianceManagement(network=form.ApplianceNetwork(proxy_configuration=(proxy,)))
        )

    assert scanned(world, state(PASSWORDS[0])).status == "COMPLIANT"
    found = scanned(world, state("Guessed-Secret1"))
    assert found.status == "NON_COMPLIANT"
    assert "Secret" not in str(found)
    # Who does not administer cannot find a password by guessing.
    world.caller = Caller(user="reader@vsphere.local", principal=Principal("reader@vsphere.local", frozenset()))
    assert scanned(world, state("Guessed-Secret1")).status == "COMPLIANT"


class TestProfile:
    def test_its_life(self, world: World) -> None:
        with pytest.raises(NotFound):
            world.call(Config.get)
        with pytest.raises(NotFound):
            world.call(Config.delete)
        profile = create(world)
        kept = world.call(Config.get)
        assert (kept.profile, kept.version, kept.name, kept.description) == (profile, "1", "usual", "As all are")
        assert (kept.owner, kept.creation_time) == ("administrator@vsphere.local", NOW)
        assert kept.desired_state == WANTED
        assert world.call(Ntp.get) == ()
        with pytest.raises(AlreadyExists):
            create(world)
        world.call(Config.delete)
        with pytest.raises(NotFound):
            world.call(Config.get)
        assert create(world) != profile

    def test_it_is_compared_with_what_is(self, world: World) -> None:
        profile = create(world)
        for version in ("2", "", "x" * 100):
            with pytest.raises(NotFound):
                world.call(Config.scan_task, ids.ApplianceVcenterSettingsV1ConfigVersionId(version))
        first = ids.ApplianceVcenterSettingsV1ConfigVersionId("1")
        found: Any = info(world, world.call(Config.scan_task, first)).result
        assert (found.status, found.profile, found.version) == ("NON_COMPLIANT", profile, "1")
        world.call(Ntp.set, ("time.example.org",))
        found = info(world, world.call(Config.scan_task, first)).result
        assert found.status == "COMPLIANT"

    def test_it_becomes_what_is_applied(self, world: World) -> None:
        profile = create(world)
        other = DesiredState(
            appliance=form.ApplianceManagement(access_settings=form.AccessSettings(ssh=form.Ssh(enabled=True)))
        )
        result: Any = applied(world, other).result
        assert (result.profile, result.version) == (profile, "2")
        kept = world.call(Config.get)
        assert (kept.version, kept.name, kept.desired_state) == ("2", "usual", other)

    def test_its_passwords_are_kept_and_not_told(self, world: World) -> None:
        change_everything(world)
        proxy = form.ProxyConfiguration(
            protocol=form.ProxyConfiguration.Protocol.HTTP,
            server="p",
            port=1,
            username="u",
            password=Secret("Other-1!"),
        )
        create(
            world,
            DesiredState(
                appliance=form.ApplianceManagement(network=form.ApplianceNetwork(proxy_configuration=(proxy,)))
            ),
        )
        assert "Other-1!" not in str(world.call(Config.get))
        assert "Other-1!" in str(setting_of(world.inventory, DesiredProfile))
        assert setting_of(world.inventory, Proxies).by_protocol["HTTP"].password == PASSWORDS[0]
        assert world.call(Proxy.get, "HTTP").server == "proxy.example.org"

    @pytest.mark.parametrize("name", ["", " ", "a\nb", "x" * 81])
    def test_names_that_are_none(self, world: World, name: str) -> None:
        with pytest.raises(InvalidArgument, match=r"spec\.name"):
            create(world, name=name)

    @pytest.mark.parametrize("state", [WRONG, ELSEWHERE])
    def test_what_cannot_be_is_not_kept(self, world: World, state: DesiredState) -> None:
        with pytest.raises(InvalidArgument, match="desired_state"):
            create(world, state)


class TestRefusals:
    def test_who_does_not_administer_gives_no_roles(self, world: World) -> None:
        state = current(world)
        world.caller = Caller(user="reader@vsphere.local", principal=Principal("reader@vsphere.local", frozenset()))
        with pytest.raises(Unauthorized):
            applied(world, state)
        assert applied(world, WANTED).error is None

    def test_nothing_is_applied_in_a_restoration(self, world: World) -> None:
        job = RestoreJob(id="last", owner="test", location="file:///x", start_time=NOW)
        world.put(job)
        with pytest.raises(NotAllowedInCurrentState):
            applied(world, WANTED)
        world.put(replace(job, state=State.FAILED))

    def test_texts_that_are_too_long(self, world: World) -> None:
        long = "x" * 1_025
        specs: tuple[tuple[Any, Any], ...] = (
            (Config.create, Config.CreateSpec(name="a", description=long, desired_state=WANTED)),
            (Config.scan_desired_state_task, Config.ScanSpec(message=long, desired_state=WANTED)),
            (
                Config.check_desired_state_task,
                Config.CheckDesiredStateSpec(desired_state=WANTED, check_spec=Config.CheckSpec(message=long)),
            ),
            (
                Config.apply_desired_state_task,
                Config.ApplyDesiredStateSpec(desired_state=WANTED, apply_spec=Config.ApplySpec(message=long)),
            ),
        )
        for operation, spec in specs:
            with pytest.raises(InvalidArgument, match="more than 1024 characters"):
                world.call(operation, spec)
