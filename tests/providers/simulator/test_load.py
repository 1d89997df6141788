"""The load model: the same each time, within bounds, and hosts do what their machines do."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resphere.contract.generated import vcenter, vcenter_vm
from resphere.contract.generated.vcenter_vm_hardware import Memory
from resphere.inventory.model import Host, VirtualMachine
from resphere.providers.base import IDLE, Load
from resphere.providers.simulator.load import DAY, MONDAY, busy, habits, is_up, own_load, total, vm_loads, wave
from tests.inventory import samples
from tests.support.examples import examples

HOST = samples.host("host-11", "esx0", "domain-c8", datastores=("datastore-15",), networks=("network-17", "network-18"))
ON, OFF, SUSPENDED = (vcenter_vm.Power.State(f"{name}") for name in ("POWERED_ON", "POWERED_OFF", "SUSPENDED"))
VM = msgspec.structs.replace(samples.virtual_machine("vm-1", "web", "group-v3"), power_state=ON)
times = st.floats(min_value=0, max_value=4e9, allow_nan=False)
uuids = st.uuids().map(str)


def machine(uuid: str, **fields: object) -> VirtualMachine:
    return msgspec.structs.replace(VM, instance_uuid=uuid, **fields)


def peak(host: Host, vm: VirtualMachine) -> float:
    return float(vm.cpu.count * host.hardware.cpu_frequency_MHz)


@given(uuid=uuids, at=st.lists(times, max_size=20), memory=st.integers(4, 1 << 20))
def test_bounds(uuid: str, at: list[float], memory: int) -> None:
    size = Memory.Info(size_MiB=memory, hot_add_enabled=False)
    vm = machine(uuid, memory=size)
    for load in vm_loads(vm, HOST, at):
        assert 0 < load.cpu_MHz <= peak(HOST, vm)
        assert 0 < load.memory_MiB <= memory
        assert all(figure >= 0 for figure in msgspec.structs.astuple(load))


@given(uuid=uuids, at=st.lists(times, max_size=20))
def test_the_same_each_time_whatever_else_is_asked(uuid: str, at: list[float]) -> None:
    together = vm_loads(machine(uuid), HOST, at)
    assert together == [vm_loads(machine(uuid), HOST, [moment])[0] for moment in at]


@given(uuid=uuids, at=times, state=st.sampled_from([OFF, SUSPENDED]))
def test_what_is_not_on_does_nothing(uuid: str, at: float, state: vcenter_vm.Power.State) -> None:
    assert vm_loads(machine(uuid, power_state=state), HOST, [at]) == [IDLE]


@given(seed=st.integers(0, 2**32 - 1), at=times, step=st.floats(0, 1))
def test_waves_go_steadily(seed: int, at: float, step: float) -> None:
    assert 0 <= wave(seed, at) <= 1
    assert abs(wave(seed, at + step) - wave(seed, at)) <= 2 / 900 + 1e-6


@given(loads=st.lists(st.builds(Load, *[st.floats(0, 1e9)] * 6), max_size=10))
def test_sums(loads: list[Load]) -> None:
    summed = total(loads)
    for name in Load.__struct_fields__:
        assert getattr(summed, name) == sum(getattr(load, name) for load in loads)


@settings(max_examples=examples(50))
@given(uuid=uuids)
def test_days_have_a_busy_hour_and_weeks_a_weekend(uuid: str) -> None:
    own = habits(machine(uuid))
    noise = 0.1
    at_peak, at_night = busy(own, MONDAY + own.peak), busy(own, MONDAY + own.peak - DAY / 2)
    assert at_peak - at_night >= own.swing - noise
    saturday = busy(own, MONDAY + 5 * DAY + own.peak)
    assert saturday <= own.base + own.swing * own.weekend + noise + 1e-9


def test_machines_differ() -> None:
    loads = {vm_loads(machine(f"{number:036}"), HOST, [MONDAY])[0] for number in range(100)}
    assert len(loads) == 100


@pytest.mark.parametrize(
    "fields",
    [
        {"connection_state": vcenter.Host.ConnectionState.DISCONNECTED},
        {"power_state": vcenter.Host.PowerState.STANDBY},
    ],
)
def test_a_host_that_is_not_up_does_nothing(fields: dict[str, object]) -> None:
    host = msgspec.structs.replace(HOST, **fields)
    assert not is_up(host)
    assert own_load(host) == IDLE


def test_a_host_does_a_little_for_itself() -> None:
    own = own_load(HOST)
    assert 0 < own.cpu_MHz < HOST.hardware.cpu_cores * HOST.hardware.cpu_frequency_MHz / 10
    assert 0 < own.memory_MiB <= HOST.hardware.memory_size_MiB / 10
