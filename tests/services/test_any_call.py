"""Any operation with any valid input about what is there: it answers, or refuses with what it declares, and leaves an
inventory that is sound, and is read again as it was written.

What handlers raise is watched, see :mod:`tests.support.refusals`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from resphere import services
from resphere.auth.saml.signing import TokenSigning, make
from resphere.contract.errors import VapiError
from resphere.contract.lookup import all_operations
from resphere.contract.model import AnyOperation, Asset
from resphere.providers.simulator.inventory_file import parse_inventory, write_inventory
from resphere.services.registry import load
from resphere.wire.json_values import encoded
from tests.services.vcenter.vm.test_refusals import ON, equipped
from tests.support.calls import aimed, inputs
from tests.support.examples import examples
from tests.support.from_contract import Real
from tests.support.guests import ready_vm
from tests.support.invariants import managed_objects, require_sound
from tests.support.world import NOW, World

IMPLEMENTED = load(services).keys()
NEEDS_MORE = ("com.vmware.cis.session", "com.vmware.appliance.system.version", "resphere.explorer", "resphere.certif")
"""What begins the ids of operations that need what a world has not got: sessions, files, an installation."""

OPERATIONS = [
    operation
    for operation in all_operations()
    if operation.id in IMPLEMENTED
    and operation.api is not None
    and not operation.streams
    and not operation.id.startswith(NEEDS_MORE)
]
CALLS = 30


@pytest.fixture(scope="module")
def real() -> Iterator[Real]:
    """The ids of everything in a world; those of machines are few, so that calls meet."""
    with TemporaryDirectory() as folder, World(Path(folder)) as world:
        few = [equipped(world, ON).id, ready_vm(world)]
        yield {**world.ids, "VirtualMachineId": few}


@cache
def signing() -> TokenSigning:
    """What a start of the server makes once, and what takes long."""
    return make("https://vcenter.example.test/websso", NOW)


def call(world: World, operation: AnyOperation, value: Any) -> None:
    """Call it; what it answers must be of the type that it declares."""
    with suppress(VapiError):
        result = world.ask(operation, value)
        if operation.output is not None and not isinstance(result, Asset):
            msgspec.json.decode(encoded(result, operation.output), type=operation.output)


@settings(max_examples=examples(60), suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_calls_in_any_order(real: Real, data: st.DataObject) -> None:
    with TemporaryDirectory() as folder, World(Path(folder)) as world:
        equipped(world, ON)
        ready_vm(world)
        world.put(signing())
        for _ in range(CALLS):
            operation = data.draw(st.sampled_from(OPERATIONS))
            call(world, operation, aimed(data.draw(inputs(operation, real)), real, data.draw))
        require_sound(world.inventory)
        objects = managed_objects(world.inventory)
        read = parse_inventory(write_inventory(objects), "what was written")
        assert {each.id: each for each in read} == {each.id: each for each in objects}
