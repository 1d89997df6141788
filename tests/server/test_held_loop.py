"""No call of any operation holds the loop for long, whatever its input: made from the contract, with each part of each
input at its largest.

What is bounded is the time of the loop's thread on a processor (see :mod:`tests.support.loop_times`): the measure of
the work that others wait for, which is the same whatever else runs on the machine. Each call is first made with a part
of what it may hold, and has to stay below that part of the bound; one that does not is made with all of it, and has to
stay below the bound itself, in one of a few attempts: the first also warms the processor's caches.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import msgspec
import pytest

from resphere.contract.generated import cis_tagging, vapi_std, vcenter
from resphere.contract.generated.vcenter_vm_guest import Credentials
from resphere.contract.lookup import all_operations
from resphere.contract.model import AnyOperation, Struct
from resphere.dialects.base import Dialect
from resphere.dialects.http import MOST_VALUES
from resphere.inventory.model import Folder, ManagedObject, VirtualMachine
from resphere.providers.simulator.generate import generate
from resphere.providers.simulator.sizes import Sizes
from resphere.server.settings import Settings
from tests.support.calls import ApiCall, api_call
from tests.support.examples import examples
from tests.support.from_contract import Real
from tests.support.grown import Given, Most, grown
from tests.support.guests import ROOT, ready_vm
from tests.support.loop_times import TimedLoop, no_collection, slowness
from tests.support.rest_calls import rest_call
from tests.support.served import Served
from tests.support.world import IMPLEMENTATIONS, World

MOST_SECONDS = 0.1
ATTEMPTS = 3
NEEDS_MORE = ("com.vmware.cis.session.", "com.vmware.appliance.system.version.")
"""What begins the ids of operations that need what a world has not got: sessions to end, an installation."""
BATCHES = 4
OPERATIONS = [
    operation
    for operation in all_operations()
    if operation.id in IMPLEMENTATIONS and not operation.id.startswith(NEEDS_MORE)
]
[LIMIT_BYTES] = [field.default for field in msgspec.structs.fields(Settings) if field.name == "max_body_bytes"]
SHARE = 25
IN_BODY = Most(values=MOST_VALUES - 1000, characters=10_000_000)
SHARE_OF_BODY = Most(values=IN_BODY.values // SHARE, characters=200_000)
LONGEST_TARGET = 65_534
"""The HTTP server takes no longer one."""
IN_QUERY = Most(values=1500, characters=60_000)
SIZES = Sizes(datacenters=2, clusters=4, hosts=8, vms=100)


class Scene:
    """A vCenter with something of most kinds, and what a call may name of it."""

    def __init__(self, folder: Path, inventory: Iterable[ManagedObject]) -> None:
        self.loop = TimedLoop()
        self.served = Served(folder, inventory, self.loop, LIMIT_BYTES)
        world = self.served.world
        real = {name: found for name, found in world.ids.items() if found}
        ready = ready_vm(world)
        real["VirtualMachineId"] = [ready, *(vm for vm in real["VirtualMachineId"] if vm != ready)]
        self.real: Real = real | tagging(world)
        self.given = meaningful(world, self.real)

    def close(self) -> None:
        self.served.__exit__()

    def holds(self, dialect: Dialect, call: ApiCall, bound_seconds: float) -> float | None:
        """How long the call, and what it leaves to be done, holds the loop, if that is too long."""
        shortest = float("inf")
        for attempt in range(ATTEMPTS):
            self.loop.longest_seconds = 0.0
            reply = self.served.ask(dialect, call)
            assert b"resphere.internal_error" not in reply.body[:1000], call.target[:100]
            self.served.world.run(others())
            # Where the first is too long, the machine may be slower than that for which the bounds are.
            slower = slowness() if attempt else 1.0
            shortest = min(shortest, self.loop.longest_seconds / slower)
            if shortest < bound_seconds:
                return None
        return shortest


async def others() -> None:
    """Wait for all that goes on."""
    while rest := asyncio.all_tasks() - {asyncio.current_task()}:
        await asyncio.wait(rest)


def tagging(world: World) -> dict[str, list[str]]:
    """Tags of a category, by the names of their ids' types."""
    category = world.call(
        cis_tagging.Category.create,
        cis_tagging.Category.CreateSpec(
            name="category",
            description="",
            cardinality=cis_tagging.CategoryModel.Cardinality.MULTIPLE,
            associable_types=frozenset(),
        ),
    )
    specs = [cis_tagging.Tag.CreateSpec(name=f"{n}", description="", category_id=category) for n in range(20)]
    tags: list[str] = [world.call(cis_tagging.Tag.create, spec) for spec in specs]
    return {"CisTaggingCategoryId": [category], "CisTaggingTagId": tags}


def meaningful(world: World, real: Real) -> Given:
    """Structures with which operations come further than to the first refusal."""
    folders = world.inventory.all(Folder).values()
    folder = next(each.id for each in folders if each.type is vcenter.Folder.Type.VIRTUAL_MACHINE)
    cluster = real["ClusterComputeResourceId"][0]
    return {
        vcenter.VM.PlacementSpec: (vcenter.VM.PlacementSpec(folder=folder, cluster=cluster),),  # type: ignore[arg-type]
        vcenter.VM.ClonePlacementSpec: (vcenter.VM.ClonePlacementSpec(folder=folder),),  # type: ignore[arg-type]
        Credentials: (ROOT,),
        vapi_std.DynamicID: [
            vapi_std.DynamicID(type=VirtualMachine.resource_type, id=vm) for vm in real["VirtualMachineId"]
        ],
    }


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with closing(Scene(tmp_path_factory.mktemp("scene"), generate(SIZES, 1))) as scene:
        yield scene


class Way(msgspec.Struct, frozen=True):
    """A call with one large part, by one dialect."""

    where: str
    dialect: Dialect
    call: ApiCall

    @property
    def name(self) -> tuple[str, str]:
        """The part and the dialect."""
        return self.where, self.dialect.name

    @property
    def is_sendable(self) -> bool:
        """Whether the HTTP server takes the address."""
        return len(self.call.target) <= LONGEST_TARGET


def ways(scene: Scene, operation: AnyOperation, most: Most, suspected: Collection[str] | None = None) -> Iterator[Way]:
    """The operation's calls with another part at its largest, by the dialects that carry it in turn; with parts that
    are ``suspected`` those parts, by each dialect."""
    served = scene.served
    carried: list[tuple[Dialect, Callable[[Struct], ApiCall]]] = []
    if operation.api is not None:
        carried.append((served.api, partial(api_call, operation)))
    if operation.rest is not None:
        carried.append((served.rest, partial(rest_call, operation)))
    if not operation.streams:
        carried.append((served.jsonrpc, partial(served.jsonrpc_call, operation)))
    for number, part in enumerate(grown(operation.input, scene.real, most, scene.given)):
        if suspected is None:
            dialect, called = carried[number % len(carried)]
            yield Way(part.where, dialect, called(part.value))
        elif part.where in suspected:
            yield from (Way(part.where, dialect, called(part.value)) for dialect, called in carried)


def suspects(scene: Scene, operation: AnyOperation) -> set[str]:
    """The parts with a share of what they may hold that hold the loop for more than that of the bound."""
    found: set[str] = set()
    for way in ways(scene, operation, SHARE_OF_BODY):
        if way.is_sendable and scene.holds(way.dialect, way.call, MOST_SECONDS / SHARE) is not None:
            found.add(way.where)
    for way in ways(scene, operation, IN_QUERY):
        if way.is_sendable and way.call.body is None:
            assert scene.holds(way.dialect, way.call, MOST_SECONDS) is None, (operation.id, way.name)
    return found


@pytest.mark.parametrize("number", range(BATCHES))
def test_every_operation_with_each_part_at_its_largest(scene: Scene, number: int) -> None:
    held: dict[tuple[str, tuple[str, str]], float] = {}
    batch = OPERATIONS[number::BATCHES]
    for operation in batch[:: max(1, len(batch) // examples(len(batch)))]:
        with no_collection():
            suspected = suspects(scene, operation)
            for way in ways(scene, operation, IN_BODY, suspected) if suspected else ():
                seconds = scene.holds(way.dialect, way.call, MOST_SECONDS)
                if seconds is not None:
                    held[operation.id, way.name] = seconds
    assert held == {}
