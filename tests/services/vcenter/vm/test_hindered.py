"""While work goes on at a machine, or its host is not connected, nobody else changes it, whatever the operation."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from resphere import services
from resphere.contract.errors import VapiError
from resphere.contract.generated import vcenter
from resphere.contract.generated.cis_task import Status
from resphere.contract.lookup import all_operations
from resphere.contract.model import AnyOperation
from resphere.inventory.model import Host, VirtualMachine
from resphere.replica.edit import Edit
from resphere.services.registry import load
from resphere.tasks.record import Task
from tests.services.vcenter.vm.test_refusals import OFF, ON, State, equipped
from tests.support.calls import aimed, inputs, minimal_input
from tests.support.examples import examples
from tests.support.from_contract import Real
from tests.support.refusals import may_answer
from tests.support.world import NOW, World

IMPLEMENTED = load(services).keys()
OPERATIONS = [
    operation
    for operation in all_operations()
    if operation.id in IMPLEMENTED
    and operation.api is not None
    and operation.api.method != "GET"
    and "{vm}" in operation.api.path
]
STATES = (OFF, ON)
OF_THE_INVENTORY = ("resphere.vcenter.vm.update", "resphere.vcenter.vm.move")
"""Changes of what stands in the inventory alone, for which no host is needed."""
OUT_OF_REACH = ("resphere.vm.host_not_connected", "resphere.vm.placement.host_unavailable")


class Machines:
    """Equal worlds, each with an equal machine in ``state`` that has a device of each kind: one where nothing hinders
    anybody, one where another worker works at it, without end, and one where its host is not connected."""

    def __init__(self, folder: Path, state: State) -> None:
        self._folders = (folder / str(number) for number in count())
        self._state = state
        self.free, self.vm = self._made()
        self.busy, _ = self._made()
        self.busy.run(self.busy.inventory.change(self._begin_work))
        self.apart, _ = self._made()
        host = self.apart.inventory.get(Host, self.vm.host)
        assert host is not None
        self.apart.change(host, connection_state=vcenter.Host.ConnectionState.DISCONNECTED)

    def _made(self) -> tuple[World, VirtualMachine]:
        folder = next(self._folders)
        folder.mkdir()
        world = World(folder)
        return world, equipped(world, self._state)

    def _begin_work(self, edit: Edit) -> None:
        edit.put(
            Task(
                id=edit.new_id("task-"),
                service="com.vmware.vcenter.VM",
                operation="relocate",
                description="VirtualMachine.relocate",
                target_type=self.vm.resource_type,
                target=self.vm.id,
                exclusive=True,
                owner="another",
                status=Status.RUNNING,
                queued_time=NOW,
                start_time=NOW,
            )
        )

    def is_unchanged(self, world: World) -> bool:
        return world.inventory.get(VirtualMachine, self.vm.id) == self.vm

    def changes(self, operation: AnyOperation, value: Any) -> bool:
        """Whether the call changes the machine where nothing hinders it."""
        with suppress(VapiError):
            self.free.ask(operation, value)
        if self.is_unchanged(self.free):
            return False
        self.free.__exit__()
        self.free, vm = self._made()
        assert vm == self.vm
        return True

    def check_refused(self, operation: AnyOperation, value: Any) -> None:
        """The call is refused where somebody works at it, as busy where the contract has that, and where the host is
        not connected."""
        declared = may_answer(operation)
        busy = self._refusal(self.busy, operation, value)
        assert busy.error_type.lower() in ({"resource_busy"} if "resource_busy" in declared else declared), operation.id
        if operation.id not in OF_THE_INVENTORY:
            assert self._refusal(self.apart, operation, value).messages[0].id in OUT_OF_REACH, operation.id

    def _refusal(self, world: World, operation: AnyOperation, value: Any) -> VapiError:
        with pytest.raises(VapiError) as refusal:
            world.ask(operation, value)
        assert self.is_unchanged(world), operation.id
        return refusal.value

    @property
    def real(self) -> Real:
        """The ids of everything, of this machine alone, and of its devices."""
        return {
            **self.free.ids,
            "VirtualMachineId": [self.vm.id],
            "VcenterVmHardwareCdromId": list(self.vm.cdroms),
            "VcenterVmHardwareDiskId": list(self.vm.disks),
            "VcenterVmHardwareEthernetId": list(self.vm.nics),
            "VcenterVmHardwareFloppyId": list(self.vm.floppies),
            "VcenterVmHardwareParallelPortId": list(self.vm.parallel_ports),
            "VcenterVmHardwareScsiAdapterId": list(self.vm.scsi_adapters),
            "VcenterVmHardwareSerialPortId": list(self.vm.serial_ports),
        }

    def close(self) -> None:
        for world in (self.free, self.busy, self.apart):
            world.__exit__()


@pytest.fixture(scope="module", params=STATES)
def machines(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machines]:
    machines = Machines(tmp_path_factory.mktemp("hindered"), request.param)
    yield machines
    machines.close()


def test_the_least_that_changes_a_machine(machines: Machines) -> None:
    changing = 0
    for operation in OPERATIONS:
        value = minimal_input(operation, machines.real)
        if machines.changes(operation, value):
            machines.check_refused(operation, value)
            changing += 1
    assert changing > 15


@settings(max_examples=examples(120), suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(data=st.data())
def test_whatever_changes_a_machine(machines: Machines, data: st.DataObject) -> None:
    operation = data.draw(st.sampled_from(OPERATIONS))
    value = aimed(data.draw(inputs(operation, machines.real)), machines.real, data.draw)
    assume(machines.changes(operation, value))
    machines.check_refused(operation, value)
