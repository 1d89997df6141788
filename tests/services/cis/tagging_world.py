"""A small inventory over a store of its own, and calls of the tagging operations on it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar, cast

import msgspec
import pytest

from resphere.access.recording import Checks
from resphere.access.roles import ADMIN
from resphere.access.view import RootView, View
from resphere.appliance.bundles import Bundles
from resphere.appliance.database import Readiness
from resphere.appliance.folders import Folders
from resphere.appliance.receivers import Connections
from resphere.appliance.shutdowns import Shutdowns
from resphere.appliance.updates import Updates
from resphere.audit.reading import AuditLog
from resphere.auth.federation import Federation
from resphere.auth.identities import Identities
from resphere.auth.saml.tokens import SecurityTokens
from resphere.bulk.bulks import Bulks
from resphere.certificates.keeper import Certificates
from resphere.contract.errors import VapiError
from resphere.contract.generated import cis_tagging, ids, vapi_std, vcenter
from resphere.contract.model import AnyOperation
from resphere.dialects.vapi_documents import VapiDocuments
from resphere.events.feed import Feed
from resphere.events.readers import Readers
from resphere.faults.rules import FaultRules
from resphere.fetching.allowed import Allowed
from resphere.fetching.fetcher import Fetcher
from resphere.inventory.compute_policies import COMPUTE_POLICIES
from resphere.inventory.model import Network
from resphere.inventory.storage_policies import STORAGE_POLICIES
from resphere.inventory.tables import TABLES
from resphere.inventory.tagging import TAGGING_TABLES, Attachment, Category, Tag
from resphere.libraries.cleaning import Cleaning
from resphere.libraries.files import LibraryFiles
from resphere.libraries.receiving import Receiving
from resphere.libraries.sending import Sending
from resphere.libraries.syncing import LibrarySync
from resphere.libraries.web_packages import WebPackages
from resphere.providers.base import Provider
from resphere.recovery.recovery import Recovery
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica
from resphere.schedules.schedules import Planner
from resphere.services.call import Call, Environment, OwnSession, Product
from resphere.services.cis.tagging import category, tag, tag_association
from resphere.states.states import States
from resphere.store.base import Transaction
from resphere.tasks.runner import Tasks
from tests.inventory import samples
from tests.replica.worlds import Scripted, check_indexes, store_in
from tests.support.fake_machine import FakeMachine

R = TypeVar("R")

SINGLE = cis_tagging.CategoryModel.Cardinality.SINGLE
MULTIPLE = cis_tagging.CategoryModel.Cardinality.MULTIPLE
VMS = 6
PORT_GROUP = "dvportgroup-19"
NO_CATEGORY = ids.CisTaggingCategoryId("urn:vmomi:InventoryServiceCategory:00000000-0000-0000-0000-000000000000:GLOBAL")
NO_TAG = ids.CisTaggingTagId("urn:vmomi:InventoryServiceTag:00000000-0000-0000-0000-000000000000:GLOBAL")
NOT_FOUND = "cis.tagging.objectNotFound.error"


class BeforeCommit:
    """What somebody else does between the plan of this worker's next change and its commit."""

    def __init__(self) -> None:
        self.next: Callable[[], Awaitable[object]] | None = None

    async def __call__(self, _: Transaction) -> None:
        happens, self.next = self.next, None
        if happens is not None:
            await happens()


class World:
    """What one worker has: a replica, and its calls."""

    def __init__(self, inventory: Replica, rng: random.Random, view: View, commits: BeforeCommit) -> None:
        self.inventory = inventory
        self.commits = commits
        environment = Environment(
            inventory=inventory,
            provider=cast(Provider, None),
            tasks=cast(Tasks, None),
            product=Product("8.0.3", "1", "0", "test", ("8.0",), "test", ()),
            now=lambda: samples.NOON,
            present=lambda: samples.NOON,
            random_bytes=rng.randbytes,
            list_limits=True,
            certificates=cast(Certificates, None),
            structures=VapiDocuments(),
            audit_log=cast(AuditLog, None),
            identities=cast(Identities, None),
            checks=Checks(inventory, lambda: samples.NOON),
            federation=cast(Federation, None),
            security_tokens=cast(SecurityTokens, None),
            library_files=cast(LibraryFiles, None),
            library_receiving=cast(Receiving, None),
            library_sending=cast(Sending, None),
            library_cleaning=cast(Cleaning, None),
            fetcher=Fetcher(Allowed()),
            web_packages=cast(WebPackages, None),
            library_sync=cast(LibrarySync, None),
            bulks=cast(Bulks, None),
            feed=cast(Feed, None),
            metrics=cast(Any, None),
            readers=cast(Readers, None),
            planner=cast(Planner, None),
            webhooks_allowed=Allowed(),
            machine=FakeMachine(),
            readiness=cast(Readiness, None),
            folders=Folders(Path(), Path(), None),
            bundles=cast(Bundles, None),
            updates=Updates(),
            log_connections=cast(Connections, None),
            shutdowns=cast(Shutdowns, None),
            recovery=cast(Recovery, None),
            faults=cast(FaultRules, None),
            states=cast(States, None),
        )
        self.call = Call(environment, cast(AnyOperation, None), view, cast(OwnSession, None), "request-1")

    def seen_by(self, view: View) -> Call:
        """A call of somebody else."""
        return msgspec.structs.replace(self.call, view=view)

    async def category(self, name: str = "environment", **fields: Any) -> ids.CisTaggingCategoryId:
        """Create a category for any type, with many tags an object unless told otherwise."""
        given: dict[str, Any] = {"description": "", "cardinality": MULTIPLE, "associable_types": frozenset(), **fields}
        return await category.create(self.call, cis_tagging.Category.CreateSpec(name=name, **given))

    async def tag(self, category_id: ids.CisTaggingCategoryId, name: str, **fields: Any) -> ids.CisTaggingTagId:
        """Create a tag."""
        spec = cis_tagging.Tag.CreateSpec(name=name, description="", category_id=category_id, **fields)
        return await tag.create(self.call, spec)

    async def tags(self, category_id: ids.CisTaggingCategoryId, *names: str) -> list[ids.CisTaggingTagId]:
        """Create tags."""
        return [await self.tag(category_id, name) for name in names]

    async def attach(self, tag_id: ids.CisTaggingTagId, *objects: vapi_std.DynamicID) -> None:
        """Attach a tag to objects."""
        for object in objects:
            await tag_association.attach(self.call, tag_id, object)

    async def attached(self, object: vapi_std.DynamicID) -> set[str]:
        """The tags of an object."""
        return set(await tag_association.list_attached_tags(self.call, object))

    def check(self) -> None:
        """Whatever happened, nothing dangles and every index is right."""
        check_indexes(self.inventory, TAGGING_TABLES)
        for found in self.inventory.all(Tag).values():
            assert self.inventory.get(Category, found.category) is not None
        for attachment in self.inventory.all(Attachment).values():
            of = self.inventory.get(Tag, attachment.tag)
            assert of is not None
            assert of.category == attachment.category


def vm(number: int = 0) -> vapi_std.DynamicID:
    """One of the world's VMs."""
    return vapi_std.DynamicID(type="VirtualMachine", id=f"vm-{1001 + number}")


def dynamic(type: str, id: str) -> vapi_std.DynamicID:
    return vapi_std.DynamicID(type=type, id=id)


NOBODY = dynamic("VirtualMachine", "vm-9999")


@asynccontextmanager
async def worlds(path: Path, workers: int = 1, view: View | None = None) -> AsyncIterator[list[World]]:
    """So many workers on one store."""
    async with AsyncExitStack() as stack:
        opened = []
        for number in range(workers):
            store = await store_in(path)
            stack.push_async_callback(store.close)
            commits = BeforeCommit()
            replica = Replica(
                Scripted(store, commits),
                (*TABLES, *TAGGING_TABLES, COMPUTE_POLICIES, STORAGE_POLICIES),
                random.Random(number),
            )
            await replica.load()
            if number == 0 and not replica.count(Network):
                await replica.change(furnish)
            await replica.refresh()
            opened.append(World(replica, random.Random(number), view or RootView(ADMIN), commits))
        yield opened


def furnish(edit: Edit) -> None:
    """The sample inventory, with a distributed port group."""
    port_group = Network(id=PORT_GROUP, name="dvpg", parent="group-n3", type=vcenter.Network.Type.DISTRIBUTED_PORTGROUP)
    for obj in (*samples.skeleton(), *samples.virtual_machines(VMS), port_group):
        edit.put(obj)


def run(path: Path, test: Callable[..., Awaitable[R]], workers: int = 1, view: View | None = None) -> R:
    """Run ``test`` with so many workers, and check the world afterwards."""

    path.mkdir(exist_ok=True)

    async def whole() -> R:
        async with worlds(path / "store", workers, view) as opened:
            result = await test(*opened)
            for world in opened:
                await world.inventory.refresh()
                world.check()
            return result

    return asyncio.run(whole())


async def refused(call: Awaitable[object], error: type[VapiError], status: int, message_id: str) -> VapiError:
    """Expect a refusal, by class, status on ``/api`` and the first message's id."""
    with pytest.raises(error) as caught:
        await call
    assert type(caught.value) is error
    assert caught.value.api_status == status
    assert caught.value.messages[0].id == message_id
    return caught.value
