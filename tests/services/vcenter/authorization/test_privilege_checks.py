"""``com.vmware.vcenter.authorization.privilege_checks``, and the mappings of vTContainers, which there are none of."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from resphere.access.recording import WANTED, Batch
from resphere.access.roles import READ_ONLY, users_role
from resphere.contract.generated import ids, vcenter_vm
from resphere.contract.generated.vapi_std import DynamicID
from resphere.contract.generated.vcenter_authorization import PrivilegeChecks
from resphere.contract.generated.vcenter_authorization_privilege_checks import Latest
from resphere.contract.generated.vcenter_authorization_vt_containers import Mappings
from resphere.inventory.model import ROOT_FOLDER, VirtualMachine
from tests.support.scoped import ANN, ask_as_ann, permission
from tests.support.served import Served
from tests.support.world import NOW

DIALECTS = ("by_api", "by_jsonrpc")
COLLECTOR = users_role("9001", "Collector", {"Sessions.CollectPrivilegeChecks"})
HER = PrivilegeChecks.Principal(name="ANN", domain="vsphere.local")
POWER, START = vcenter_vm.Power.get, vcenter_vm.Power.start


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with Served(tmp_path) as served:
        yield served


class Both:
    """The administrator, who looks, and Ann, who is looked at."""

    def __init__(self, served: Served) -> None:
        self._served = served
        self._administrator = served.token
        self.machines = list(served.world.inventory.all(VirtualMachine))
        ask_as_ann(served, [permission(ROOT_FOLDER, READ_ONLY)])
        self._ann = served.token

    def ann(self, operation: Any, machine: str, dialect: str = "by_api") -> Any:
        self._served.token = self._ann
        return getattr(self._served, dialect)(operation, operation.input(vm=machine))

    def latest(self, dialect: str = "by_api") -> str:
        self._served.token = self._administrator
        found: str = getattr(self._served, dialect)(Latest.get, Latest.get.input())
        return found

    def listed(self, dialect: str = "by_api", filter: Any = None, **iteration: Any) -> Any:
        self._served.token = self._administrator
        spec = PrivilegeChecks.IterationSpec(**iteration) if iteration else None
        return getattr(self._served, dialect)(
            PrivilegeChecks.list, PrivilegeChecks.list.input(iteration=spec, filter=filter)
        )


def told(result: Any) -> list[tuple[str, str, str]]:
    return [(each.principal.name, each.privilege, each.object.id) for each in result.items]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_what_is_asked_between_two_markers(served: Served, dialect: str) -> None:
    both = Both(served)
    first, second, *_ = both.machines
    both.ann(POWER, first)
    before = both.latest(dialect)
    both.ann(POWER, first, dialect)
    both.ann(START, second, dialect)
    after = both.latest(dialect)
    both.ann(POWER, second)
    hers = PrivilegeChecks.FilterSpec(principals=(HER,))
    found = both.listed(dialect, hers, marker=before, end_marker=after)
    assert told(found) == [
        ("ann", "System.Read", first),
        ("ann", "VirtualMachine.Interact.PowerOn", second),
    ]
    assert not found.truncated
    assert found.items[0].object.type == "VirtualMachine"
    rest = both.listed(dialect, hers, marker=after)
    assert told(rest) == [("ann", "System.Read", second)]
    assert told(both.listed(dialect, hers, marker=rest.marker)) == []


def test_nothing_is_recorded_that_nobody_wants(served: Served) -> None:
    both = Both(served)
    both.ann(POWER, both.machines[0])
    assert both.listed().items == ()
    assert served.world.inventory.count(Batch) == 0
    both.ann(POWER, both.machines[0])
    served.world.run(served.world.environment.checks.settle())
    assert served.world.inventory.count(Batch) > 0
    later = NOW + WANTED + timedelta(seconds=1)
    served.world.environment = msgspec.structs.replace(served.world.environment, now=lambda: later)
    before = served.world.inventory.count(Batch)
    both.ann(POWER, both.machines[1])
    served.world.run(served.world.environment.checks.settle())
    assert served.world.inventory.count(Batch) == before


def test_filters(served: Served) -> None:
    both = Both(served)
    first, second, *_ = both.machines
    both.latest()
    both.ann(POWER, first)
    both.ann(POWER, first)
    both.ann(START, second)
    read = PrivilegeChecks.FilterSpec(privileges=frozenset({ids.CisAuthzPrivilegeId("System.Read")}))
    assert told(both.listed(filter=read)) == [("ann", "System.Read", first)]
    of_second = PrivilegeChecks.FilterSpec(objects=(DynamicID(type="VirtualMachine", id=second),))
    assert told(both.listed(filter=of_second)) == [("ann", "VirtualMachine.Interact.PowerOn", second)]
    nobody = PrivilegeChecks.FilterSpec(principals=(None,))
    assert told(both.listed(filter=nobody)) == []
    batch = next(each for each in served.world.inventory.all(Batch).values() if each.user == ANN.name)
    same = PrivilegeChecks.FilterSpec(op_ids=frozenset({batch.op_id}), sessions=frozenset({batch.session or ""}))
    assert set(told(both.listed(filter=same))) >= {("ann", "System.Read", first)}
    assert told(both.listed(filter=PrivilegeChecks.FilterSpec(op_ids=frozenset({"other"})))) == []


def test_pages_and_markers(served: Served) -> None:
    both = Both(served)
    both.latest()
    for machine in both.machines[:5]:
        both.ann(POWER, machine)
    hers = PrivilegeChecks.FilterSpec(principals=(HER,))
    page = both.listed(filter=hers, size=3)
    rest = both.listed(filter=hers, marker=page.marker)
    assert [object for _, _, object in told(page) + told(rest)] == both.machines[:5]
    lost = both.listed(filter=hers, marker="1-1")
    assert lost.truncated
    for marker in ("", None):
        assert told(both.listed(filter=hers, marker=marker)) == told(page) + told(rest)
    assert both.listed(marker="nothing").error_type == "NOT_FOUND"
    assert both.listed(size=0).error_type == "INVALID_ARGUMENT"
    assert both.listed(timeout_ms=0).error_type == "INVALID_ARGUMENT"
    assert told(both.listed(filter=hers, marker=rest.marker, timeout_ms=1)) == []


def test_who_only_reads_collects_nothing(served: Served) -> None:
    ask_as_ann(served, [permission(ROOT_FOLDER, READ_ONLY)])
    for operation in (Latest.get, PrivilegeChecks.list):
        assert served.by_api(operation, operation.input()).error_type == "UNAUTHORIZED"
    ask_as_ann(served, [permission(ROOT_FOLDER, COLLECTOR, False)])
    assert served.by_api(Latest.get, Latest.get.input()) == "0-0"


@pytest.mark.parametrize("dialect", DIALECTS)
def test_there_are_no_containers(served: Served, dialect: str) -> None:
    ask, [vm, *_] = getattr(served, dialect), served.world.inventory.all(VirtualMachine)
    assert ask(Mappings.list, Mappings.list.input()).items == ()
    for wrong in (Mappings.IterationSpec(size=0), Mappings.IterationSpec(marker="x")):
        assert ask(Mappings.list, Mappings.list.input(iterate=wrong)).error_type == "INVALID_ARGUMENT"
    for operation in (Mappings.get, Mappings.delete):
        assert ask(operation, operation.input(mapping="x")).error_type == "NOT_FOUND"
    spec = Mappings.CreateSpec(
        vtcontainer=ids.VcenterAuthorizationVtContainerId("x"), object=DynamicID(type="VirtualMachine", id=vm)
    )
    assert ask(Mappings.create, Mappings.create.input(spec=spec)).error_type == "NOT_FOUND"
    mapper = users_role("9002", "Mapper", {"Authorization.ModifyVTContainerMappings"})
    ask_as_ann(served, [permission(ROOT_FOLDER, mapper)])
    assert ask(Mappings.create, Mappings.create.input(spec=spec)).error_type == "UNAUTHORIZED"
