"""Hosts that came, were reached, or take machines no more."""

from __future__ import annotations

from datetime import datetime

import msgspec

from resphere.contract.generated import vcenter, vcenter_vm
from resphere.inventory.effects import (
    AddHost,
    ConnectHost,
    DisconnectHost,
    EnterMaintenanceMode,
    ExitMaintenanceMode,
    FailHost,
    RecoverHost,
)
from resphere.inventory.facts import Facts, HostFacts
from resphere.inventory.model import Folder, Host, HostHardware, VirtualMachine
from resphere.rules.machines.power_states import powered_off
from resphere.rules.new_hosts import put_host
from resphere.rules.refusals import not_found
from resphere.rules.settlement.settlement import Settlement

CONNECTED = vcenter.Host.ConnectionState.CONNECTED
DISCONNECTED = vcenter.Host.ConnectionState.DISCONNECTED
NOT_RESPONDING = vcenter.Host.ConnectionState.NOT_RESPONDING
ON = vcenter_vm.Power.State.POWERED_ON


def added(s: Settlement, effect: AddHost, facts: Facts, decided: AddHost) -> None:
    """A standalone host with a root pool, its own datastores, and networks.

    :raises NotFound: its folder is no more.
    """
    folder = s.edit.get(Folder, effect.folder)
    if folder is None:
        raise not_found(s.inventory.epoch, Folder, effect.folder)
    s.note(facts)
    put_host(s.inventory, s.edit, folder, effect.host, effect.new_host.hostname, facts.host or unknown(s.now))


def unknown(now: datetime) -> HostFacts:
    """What is known of a host that nobody has reached yet: enough to claim what it will have for certain."""
    hardware = HostHardware(
        vendor="",
        model="",
        serial_number="",
        cpu_model="",
        cpu_packages=0,
        cpu_cores=0,
        cpu_threads=0,
        cpu_frequency_MHz=0,
        memory_size_MiB=0,
    )
    return HostFacts(hardware=hardware, version="", build="", host_uuid="", boot_time=now)


def connected(s: Settlement, effect: ConnectHost, facts: Facts, decided: ConnectHost) -> None:
    """It answers."""
    s.note(facts)
    s.edit.put(msgspec.structs.replace(effect.host, connection_state=CONNECTED))


def disconnected(s: Settlement, effect: DisconnectHost, facts: Facts, decided: DisconnectHost) -> None:
    """Its machines stay as they are."""
    s.note(facts)
    s.edit.put(msgspec.structs.replace(effect.host, connection_state=DISCONNECTED))


def failed(s: Settlement, effect: FailHost, facts: Facts, decided: FailHost) -> None:
    """It is silent, and what ran on it does not run any more. vCenter itself shows machines of such a host as it has
    seen them last, until the host is back or HA has started them elsewhere."""
    s.note(facts)
    s.edit.put(msgspec.structs.replace(effect.host, connection_state=NOT_RESPONDING))
    for id in s.inventory.by(VirtualMachine, "host", effect.host.id):
        vm = s.edit.get(VirtualMachine, id)
        if vm is not None and vm.host == effect.host.id and vm.power_state is ON:
            s.edit.put(msgspec.structs.replace(powered_off(vm), clean_power_off=False))


def recovered(s: Settlement, effect: RecoverHost, facts: Facts, decided: RecoverHost) -> None:
    """It has booted, and answers."""
    s.note(facts)
    s.edit.put(msgspec.structs.replace(effect.host, connection_state=CONNECTED, boot_time=s.now))


def entered(s: Settlement, effect: EnterMaintenanceMode, facts: Facts, decided: EnterMaintenanceMode) -> None:
    """The machines are elsewhere, and the host takes none."""
    s.note(facts)
    for id, destination in effect.moves.items():
        vm, other = s.edit.get(VirtualMachine, id), s.edit.get(Host, destination)
        if vm is not None and other is not None:
            s.edit.put(msgspec.structs.replace(vm, host=other.id))
    s.edit.put(msgspec.structs.replace(effect.host, in_maintenance_mode=True))


def left(s: Settlement, effect: ExitMaintenanceMode, facts: Facts, decided: ExitMaintenanceMode) -> None:
    """It takes machines again."""
    s.note(facts)
    s.edit.put(msgspec.structs.replace(effect.host, in_maintenance_mode=False))
