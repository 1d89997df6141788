"""Customization of guests: at the next start, or while they run."""

from __future__ import annotations

import msgspec
import pytest

from resphere.contract.errors import InvalidArgument, NotAllowedInCurrentState, NotFound, Unauthenticated
from resphere.contract.generated import ids, vcenter, vcenter_guest
from resphere.contract.generated.vcenter_guest import CustomizationSpec, CustomizationSpecs
from resphere.contract.generated.vcenter_vm import GuestOSFamily, Power, Tools
from resphere.contract.generated.vcenter_vm_guest import Customization, CustomizationLive, Identity, Networking
from resphere.contract.generated.vcenter_vm_guest_networking import Interfaces, Routes
from resphere.contract.model import AnyOperation, Secret
from resphere.inventory.customization import GuestCustomization
from resphere.inventory.model import VirtualMachine
from resphere.rules.machines.new_machine import NO_TOOLS
from tests.support.customizations import DHCP, STATIC, cloud, linux, named, windows
from tests.support.guests import PASSWORD, ended, machine, ready_vm, run_shell
from tests.support.transfers import fetch
from tests.support.world import NOW, World

Id = ids.VirtualMachineId
Status = Customization.Info.Status
SetSpec = Customization.SetSpec


def stopped(world: World, vm: Id) -> Id:
    world.call(Power.stop, vm)
    return vm


def test_names_and_addresses_come_with_the_next_start(world: World, vm: Id) -> None:
    run_shell(world, vm, "touch /srv/x")
    stopped(world, vm)
    assert world.call(Customization.get, vm) == Customization.Info(status=Status.IDLE)
    world.call(Customization.set, vm, SetSpec(spec=linux(interfaces=(STATIC,))))
    assert world.call(Customization.get, vm) == Customization.Info(status=Status.PENDING)
    world.call(Power.start, vm)
    done = world.call(Customization.get, vm)
    assert (done.status, done.start_time, done.end_time) == (Status.SUCCEEDED, NOW, NOW)
    assert world.call(Identity.get, vm).host_name == "web.example.org"
    assert world.call(Identity.get, vm).ip_address == "192.168.7.20"
    assert fetch(world, vm, "/etc/hostname") == b"web\n"
    networking = world.call(Networking.get, vm)
    assert networking.dns is not None
    assert networking.dns.ip_addresses == ("192.168.7.53",)
    assert networking.dns.search_domains == ("example.org",)
    first = world.call(Interfaces.list, vm)[0]
    assert first.ip is not None
    assert [(a.ip_address, a.prefix_length) for a in first.ip.ip_addresses] == [("192.168.7.20", 24), ("fd00::20", 64)]
    routes = world.call(Routes.list, vm)
    assert [(r.network, r.prefix_length, r.gateway_address) for r in routes[:3]] == [
        ("0.0.0.0", 0, "192.168.7.1"),
        ("::", 0, "fd00::1"),
        ("192.168.7.0", 24, None),
    ]
    world.call(Power.stop, vm)
    world.call(Power.start, vm)
    assert world.call(Customization.get, vm) == done


def test_what_comes_by_dhcp(world: World, vm: Id) -> None:
    guest = machine(world, vm).guest
    assert guest is not None
    shown = world.call(Interfaces.list, vm)
    assert len(shown) == len(machine(world, vm).nics)
    addresses = [a.ip_address for each in shown if each.ip for a in each.ip.ip_addresses]
    assert tuple(addresses) == guest.ip_addresses
    assert {a.origin for each in shown if each.ip for a in each.ip.ip_addresses} == {None}
    windows_vm = ready_vm(world, GuestOSFamily.WINDOWS)
    told = world.call(Interfaces.list, windows_vm)
    assert {a.origin for each in told if each.ip for a in each.ip.ip_addresses} == {Interfaces.IpAddressOrigin.DHCP}
    assert all(each.dns is not None and each.ip is not None and each.ip.dhcp is not None for each in told)
    assert world.call(Routes.list, vm)[0].prefix_length == 0
    stopped(world, vm)
    world.call(Customization.set, vm, SetSpec(spec=linux(interfaces=(DHCP,))))
    world.call(Power.start, vm)
    assert world.call(Identity.get, vm).ip_address == guest.ip_addresses[0]


def test_a_kept_specification_by_mac_address(world: World, vm: Id) -> None:
    mac = next(iter(machine(world, vm).nics.values())).mac_address
    spec = linux(interfaces=(msgspec.structs.replace(STATIC, mac_address=mac),))
    world.call(CustomizationSpecs.create, CustomizationSpecs.CreateSpec(name="one", description="", spec=spec))
    world.call(Customization.set, stopped(world, vm), SetSpec(name="one"))
    world.call(CustomizationSpecs.delete, ids.VcenterGuestCustomizationSpecId("one"))
    world.call(Power.start, vm)
    assert world.call(Identity.get, vm).ip_address == "192.168.7.20"


def test_what_waits_can_be_taken_back(world: World, vm: Id) -> None:
    stopped(world, vm)
    world.call(Customization.set, vm, SetSpec(spec=linux(named("one"))))
    world.call(Customization.set, vm, SetSpec(spec=linux(named("two"))))
    world.call(Customization.set, vm, SetSpec())
    before = machine(world, vm).guest
    world.call(Power.start, vm)
    assert world.call(Customization.get, vm).status is Status.IDLE
    assert machine(world, vm).guest == before


@pytest.mark.parametrize(
    ("generator", "name"),
    [
        (vcenter_guest.HostnameGenerator(type=vcenter_guest.HostnameGenerator.Type.VIRTUAL_MACHINE), "{name}"),
        (
            vcenter_guest.HostnameGenerator(type=vcenter_guest.HostnameGenerator.Type.PREFIX, prefix="n"),
            "n{number}",
        ),
    ],
)
def test_names_that_are_generated(world: World, vm: Id, generator: vcenter_guest.HostnameGenerator, name: str) -> None:
    world.call(Customization.set, stopped(world, vm), SetSpec(spec=linux(generator, domain="")))
    world.call(Power.start, vm)
    expected = name.format(name=machine(world, vm).name, number=vm.rpartition("-")[2])
    assert world.call(Identity.get, vm).host_name == expected


def test_other_systems(world: World, vm: Id) -> None:
    world.call(Customization.set, stopped(world, vm), SetSpec(spec=cloud("instance-id: x\nlocal-hostname: cloudy\n")))
    world.call(Power.start, vm)
    assert world.call(Identity.get, vm).host_name == "cloudy"
    other = ready_vm(world, GuestOSFamily.WINDOWS)
    world.call(Customization.set, stopped(world, other), SetSpec(spec=windows()))
    world.call(Power.start, other)
    assert world.call(Identity.get, other).host_name == f"win{other.rpartition('-')[2]}"
    assert world.call(Interfaces.list, other)[0].wins_servers == ("192.168.7.54",)


@pytest.mark.parametrize(
    ("spec", "message_id"),
    [
        (SetSpec(spec=windows()), "resphere.guest.customization"),
        (SetSpec(name="one", spec=linux()), "resphere.guest.customization"),
        (SetSpec(spec=linux(interfaces=(STATIC,) * 10)), "vmsg.NicSettingMismatch.summary"),
        (
            SetSpec(spec=linux(interfaces=(msgspec.structs.replace(STATIC, mac_address="00:50:56:00:00:01"),))),
            "vmsg.NicSettingMismatch.summary",
        ),
        (
            SetSpec(
                spec=linux(
                    vcenter_guest.HostnameGenerator(type=vcenter_guest.HostnameGenerator.Type.USER_INPUT_REQUIRED)
                )
            ),
            "resphere.guest.customization",
        ),
    ],
)
def test_what_does_not_fit(world: World, vm: Id, spec: Customization.SetSpec, message_id: str) -> None:
    stopped(world, vm)
    with pytest.raises(InvalidArgument) as refusal:
        world.call(Customization.set, vm, spec)
    assert refusal.value.messages[0].id == message_id
    assert not world.inventory.all(GuestCustomization)


def test_when_it_cannot_be(world: World, vm: Id) -> None:
    with pytest.raises(NotAllowedInCurrentState):
        world.call(Customization.set, vm, SetSpec(spec=linux()))
    with pytest.raises(NotFound):
        world.call(Customization.set, stopped(world, vm), SetSpec(name="none"))
    bare = msgspec.structs.replace(machine(world, vm).tools, version_status=Tools.VersionStatus.NOT_INSTALLED)
    world.change(machine(world, vm), tools=bare, guest=None)
    with pytest.raises(InvalidArgument) as refusal:
        world.call(Customization.set, vm, SetSpec(spec=linux()))
    assert refusal.value.messages[0].id == "vmsg.UncustomizableGuest.summary"
    statuses = Customization.CheckInfo.CheckStatus
    assert world.call(Customization.check, vm) == Customization.CheckInfo(
        check_status=statuses.NOT_SUPPORTED, supported_guest_os=False
    )


def test_a_failure_is_told(world: World, vm: Id) -> None:
    world.call(Customization.set, stopped(world, vm), SetSpec(spec=linux()))
    world.change(machine(world, vm), guest=None, tools=NO_TOOLS)
    world.call(Power.start, vm)
    failed = world.call(Customization.get, vm)
    assert failed.status is Status.FAILED
    assert "Tools" in (failed.error or "")


def test_whether_it_can_be(world: World, vm: Id) -> None:
    statuses = Customization.CheckInfo.CheckStatus
    assert world.call(Customization.check, vm) == Customization.CheckInfo(
        check_status=statuses.NOT_SUPPORTED, supported_guest_os=True, supported_power_state=False
    )
    assert world.call(Customization.check, stopped(world, vm)).check_status is statuses.SUPPORTED
    operations: tuple[AnyOperation, ...] = (Customization.check, Customization.get, CustomizationLive.get)
    for operation in operations:
        with pytest.raises(NotFound):
            world.call(operation, Id("vm-999999"))


AUTH = CustomizationLive.GuestAuthentication(user_name="root", password=PASSWORD)


def test_a_running_guest_is_customized(world: World, vm: Id) -> None:
    assert world.call(CustomizationLive.get, vm).status is CustomizationLive.Info.Status.NOT_AVAILABLE
    spec = CustomizationLive.RunSpec(spec=linux(interfaces=(STATIC,)), auth=AUTH)
    task = world.call(CustomizationLive.run_task, vm, spec)
    assert ended(world, task) == "SUCCEEDED"
    done = world.call(CustomizationLive.get, vm)
    assert (str(done.status), done.end_time) == ("SUCCEEDED", NOW)
    assert world.call(Identity.get, vm).host_name == "web.example.org"
    assert world.call(Customization.get, vm).status is Status.IDLE


def test_a_running_guest_that_cannot_be(world: World, vm: Id) -> None:
    wrong = CustomizationLive.GuestAuthentication(user_name="root", password=Secret("wrong"))
    with pytest.raises(Unauthenticated):
        world.call(CustomizationLive.run_task, vm, CustomizationLive.RunSpec(spec=linux(), auth=wrong))
    specs: tuple[CustomizationSpec | None, ...] = (None, cloud("a: b"), linux(script_text="#!/bin/sh"))
    for spec in specs:
        with pytest.raises(InvalidArgument):
            world.call(CustomizationLive.run_task, vm, CustomizationLive.RunSpec(spec=spec, auth=AUTH))
    with pytest.raises(NotAllowedInCurrentState):
        world.call(CustomizationLive.run_task, stopped(world, vm), CustomizationLive.RunSpec(spec=linux(), auth=AUTH))


def test_it_goes_with_the_vm(world: World, vm: Id) -> None:
    world.call(Customization.set, stopped(world, vm), SetSpec(spec=linux()))
    world.call(vcenter.VM.delete, vm)
    assert not world.inventory.all(GuestCustomization)


def test_a_clone_is_customized_when_it_starts(world: World, vm: Id) -> None:
    made = CustomizationSpecs.CreateSpec(name="kept", description="", spec=linux(interfaces=(STATIC,)))
    world.call(CustomizationSpecs.create, made)
    run_shell(world, vm, "touch /srv/x")
    before = world.call(Identity.get, vm)
    wanted = vcenter.VM.GuestCustomizationSpec(name="kept")
    spec = vcenter.VM.CloneSpec(source=vm, name="twin", guest_customization_spec=wanted, power_on=True)
    clone = world.call(vcenter.VM.clone, spec)
    shown = world.call(Identity.get, clone)
    assert (shown.host_name, shown.ip_address) == ("web.example.org", "192.168.7.20")
    assert world.call(Customization.get, clone).status is Status.SUCCEEDED
    assert fetch(world, clone, "/etc/hostname") == b"web\n"
    assert world.call(Identity.get, vm) == before
    waiting = msgspec.structs.replace(spec, name="waits", power_on=False)
    assert world.call(Customization.get, world.call(vcenter.VM.clone, waiting)).status is Status.PENDING


def test_a_clone_is_not_customized_by_what_does_not_fit(world: World, vm: Id) -> None:
    world.call(CustomizationSpecs.create, CustomizationSpecs.CreateSpec(name="kept", description="", spec=windows()))
    wanted = vcenter.VM.GuestCustomizationSpec(name="kept")
    with pytest.raises(InvalidArgument):
        world.call(vcenter.VM.clone, vcenter.VM.CloneSpec(source=vm, name="twin", guest_customization_spec=wanted))
    assert not world.inventory.by(VirtualMachine, "name", "twin")


def test_a_clone_gets_an_address_of_its_own(world: World, vm: Id) -> None:
    clone = world.call(vcenter.VM.clone, vcenter.VM.CloneSpec(source=vm, name="twin", power_on=True))
    theirs, mine = world.call(Identity.get, vm), world.call(Identity.get, clone)
    assert theirs.ip_address
    assert mine.ip_address
    assert mine.ip_address != theirs.ip_address
