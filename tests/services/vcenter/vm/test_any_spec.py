"""Whatever a client may ask for: a VM that holds together, or a refusal that the contract declares."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from resphere.contract.errors import VapiError
from resphere.contract.generated import ids, vcenter
from resphere.inventory.model import Cluster, Datastore, Folder, Host, ResourcePool, VirtualMachine
from resphere.inventory.model import Network as StoredNetwork
from tests.inventory import samples
from tests.support.examples import examples
from tests.support.from_contract import from_contract
from tests.support.invariants import require_sound
from tests.support.world import World

VM = vcenter.VM
PLACE = VM.PlacementSpec(
    folder=ids.FolderId("group-v3"),
    cluster=ids.ClusterComputeResourceId("domain-c8"),
    datastore=ids.DatastoreId("datastore-15"),
)
REAL_CLASSES: dict[str, type[Any]] = {
    "FolderId": Folder,
    "ClusterComputeResourceId": Cluster,
    "HostSystemId": Host,
    "ResourcePoolId": ResourcePool,
    "DatastoreId": Datastore,
    "NetworkId": StoredNetwork,
}
OBJECTS = samples.skeleton()
REAL = {name: [obj.id for obj in OBJECTS if isinstance(obj, cls)] for name, cls in REAL_CLASSES.items()}
SPECS = from_contract(VM.CreateSpec, REAL)
PLACEMENTS = st.just(PLACE) | from_contract(VM.PlacementSpec, REAL)
REGISTRATIONS = from_contract(VM.RegisterSpec, REAL)
OPTIONAL = [name for name in VM.CreateSpec.__struct_fields__ if name not in ("guest_OS", "placement")]


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with tempfile.TemporaryDirectory() as folder, World(Path(folder), OBJECTS) as world:
        yield world


def outcome(world: World, operation: Any, spec: Any) -> str | None:
    """The new VM, or ``None`` where the contract's errors have the refusal."""
    refusal: VapiError | None = None
    try:
        made: str = world.call(operation, spec)
    except VapiError as error:
        refusal = error
    else:
        return made
    assert refusal.error_type.lower() in operation.errors, refusal
    assert refusal.messages[0].default_message
    return None


@settings(max_examples=examples(400), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(spec=SPECS, placement=PLACEMENTS, left_open=st.sets(st.sampled_from(OPTIONAL), min_size=6))
def test_any_vm_can_be_created_or_is_refused_in_words(
    world: World, spec: VM.CreateSpec, placement: VM.PlacementSpec, left_open: set[str]
) -> None:
    # A spec of everything at once is nearly always refused for something.
    spec = msgspec.structs.replace(spec, placement=placement, **dict.fromkeys(left_open))
    vm = outcome(world, VM.create, spec)
    event("created" if vm else "refused")
    if vm is None:
        return
    require_sound(world.inventory)
    stored = world.inventory.get(VirtualMachine, vm)
    assert stored is not None
    info = world.call(VM.get, ids.VirtualMachineId(vm))
    assert len(info.disks) == (1 if spec.disks is None else len(spec.disks))
    assert [len(getattr(info, name)) for name in DEVICES] == [len(getattr(spec, name) or ()) for name in DEVICES]
    world.call(VM.unregister, ids.VirtualMachineId(vm))
    require_sound(world.inventory)
    where = VM.RegisterPlacementSpec(folder=PLACE.folder, cluster=PLACE.cluster)
    back = world.call(VM.register, VM.RegisterSpec(datastore_path=stored.vmx_path, placement=where))
    assert world.call(VM.get, back) == info
    world.call(VM.delete, back)
    require_sound(world.inventory)
    assert not world.inventory.all(VirtualMachine)


DEVICES = ("nics", "cdroms", "floppies", "parallel_ports", "serial_ports")


@settings(max_examples=examples(100), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(spec=REGISTRATIONS)
def test_nothing_else_can_be_registered(world: World, spec: VM.RegisterSpec) -> None:
    assert outcome(world, VM.register, spec) is None
