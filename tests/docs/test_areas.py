"""The table of what providers may lack is true."""

from __future__ import annotations

from pathlib import Path

from resphere import services
from resphere.contract.generated import vcenter_vm
from resphere.providers.base import Capabilities, Missing
from resphere.providers.processes.files import Machines
from resphere.providers.processes.provider import capabilities
from resphere.providers.processes.work import Verbs
from resphere.server.providers import PROVIDERS
from resphere.services.registry import load
from tests.providers.processes.test_lacking import ALWAYS, WHILE_OFF, WHILE_ON
from tests.support.world import World
from tools.docs.areas import AREAS, operations_by_area

NEEDED = operations_by_area(load(services))


def lacking(given: Capabilities) -> dict[str, str]:
    """Area -> the sentence that refuses it."""
    values = {area: getattr(given, area) for area in AREAS}
    return {area: value.why for area, value in values.items() if isinstance(value, Missing)}


def test_what_a_provider_is_said_to_lack_it_lacks(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        found = {
            "simulator": world.environment.provider.capabilities,
            "processes": capabilities(Verbs(Machines(tmp_path / "machines"))),
        }
    assert found.keys() == PROVIDERS.keys()
    assert {name: lacking(each) for name, each in found.items()} == {
        name: choice.lacks for name, choice in PROVIDERS.items()
    }


def test_each_area_is_needed_by_something() -> None:
    assert all(NEEDED.values())
    assert set(NEEDED["suspension"]) == {"com.vmware.vcenter.vm.guest.power.standby", vcenter_vm.Power.suspend.id}
    assert vcenter_vm.Power.start.id not in {id for ids in NEEDED.values() for id in ids}


def test_what_a_provider_refuses_needs_an_area() -> None:
    """What was seen to be refused, with a provider that has little."""
    assert {id for ids in NEEDED.values() for id in ids} >= ALWAYS | WHILE_OFF | WHILE_ON
