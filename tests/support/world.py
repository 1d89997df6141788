"""A vCenter without HTTP: a store, an inventory, a provider and calls, all in the test's own process."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Coroutine, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import msgspec

from resphere import services
from resphere.access.principal import ADMINISTRATORS, Principal
from resphere.access.recording import Checks
from resphere.access.roles import ADMIN
from resphere.access.view import RootView
from resphere.appliance.bundles import Bundles
from resphere.appliance.database import Readiness
from resphere.appliance.folders import Folders
from resphere.appliance.receivers import Connections
from resphere.appliance.shutdowns import Shutdowns
from resphere.appliance.updates import Updates
from resphere.audit.reading import AuditLog
from resphere.auth.accounts import LocalAccounts
from resphere.auth.passwords import verify_password
from resphere.auth.sessions import end_all_sessions
from resphere.bulk.bulks import Bulks
from resphere.certificates.keeper import Certificates
from resphere.certificates.tls import no_roots
from resphere.contract.catalogue import Catalogue
from resphere.contract.model import AnyOperation, Operation, Parted, Struct
from resphere.contract.unions import check_unions
from resphere.dialects.items import ItemInputs
from resphere.dialects.vapi_documents import VapiDocuments
from resphere.events.feed import Feed
from resphere.events.readers import Readers
from resphere.events.telling import Teller
from resphere.faults.counts import Counts
from resphere.faults.rules import FaultRules, marks_of
from resphere.fetching.allowed import read_rules
from resphere.fetching.fetcher import Fetcher
from resphere.inventory.appliance.power import AppliancePower
from resphere.inventory.model import KINDS, ManagedObject
from resphere.libraries.cleaning import Cleaning
from resphere.libraries.files import LibraryFiles
from resphere.libraries.pulling import Pulls
from resphere.libraries.receiving import Receiving
from resphere.libraries.sending import Sending
from resphere.libraries.syncing import LibrarySync
from resphere.libraries.web_packages import WebPackages
from resphere.metrics.shared import SharedMetrics
from resphere.metrics.tally import Tally
from resphere.providers.simulator.generate import generate
from resphere.providers.simulator.provider import Simulator
from resphere.providers.simulator.sizes import Sizes
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica
from resphere.replica.sealing import KEY_BYTES, Sealing
from resphere.replica.table import Stored, Table
from resphere.schedules.schedules import Planner
from resphere.server.federating import known_sources, open_federation
from resphere.server.metrics.scrape import Scrape
from resphere.server.saml import make_saml
from resphere.server.saml_trust import SamlTrust
from resphere.server.wiring import WIRING
from resphere.services.call import Call, Environment, Product
from resphere.services.checks.later import accepted_by
from resphere.services.content.library.item.update_session import finish
from resphere.services.registry import load
from resphere.states.states import States
from resphere.store.contents import FolderContents
from resphere.store.engines import default_url, open_store
from resphere.tasks.record import Task
from resphere.tasks.runner import Tasks
from tests.support.fake_machine import FakeMachine
from tests.support.identities import identities_of
from tests.support.recovery import recovery_of
from tests.support.refusals import WITNESS, watched
from tests.support.struct_fields import fields_of

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T", bound=ManagedObject)

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
SMALL = Sizes(datacenters=1, clusters=1, hosts=3, vms=12)
IMPLEMENTATIONS = watched(load(services))
WORLDS = itertools.count(1)
"""No two worlds of a test's process have one name, even where one goes on with the store of another."""


class Caller(msgspec.Struct, frozen=True):
    """An administrator's session."""

    user: str = "administrator@vsphere.local"
    principal: Principal = Principal("administrator@vsphere.local", frozenset({ADMINISTRATORS}))
    token: str | None = None
    handle: str | None = None
    created_time: datetime = NOW
    last_accessed_time: datetime = NOW

    async def open(self) -> str:
        raise AssertionError("not part of this world")

    async def close(self) -> None:
        raise AssertionError("not part of this world")


class World:
    """Calls operations as a pipeline would after authorization, in an event loop of its own."""

    def __init__(
        self,
        folder: Path,
        objects: Iterable[ManagedObject] | None = None,
        loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        self.machine = FakeMachine()
        self.caller = Caller()
        (folder / "updates").mkdir(exist_ok=True)
        self.trusted_pem = ""
        """Whom connections to servers of syslog trust."""
        self._runner = asyncio.Runner(loop_factory=None if loop is None else lambda: loop)
        self.store = self._runner.run(open_store(default_url(folder)))
        self.inventory = self._replica(WIRING.tables)
        self.put(*(generate(SMALL, 1) if objects is None else objects), AppliancePower(booted=NOW))
        self.contents = FolderContents(folder / "guest-files", f"test-{next(WORLDS)}", lambda _: True)
        self.library_contents = FolderContents(folder / "library-files", f"test-{next(WORLDS)}", lambda _: True)
        provider = Simulator(self.inventory, self.contents, lambda: self.environment.now())
        product = Product("8.0.3", "1", "0", "test", ("8.0",), provider.name, provider.capabilities.names)
        accounts = LocalAccounts(self.inventory, random.Random(2).randbytes)
        trust = SamlTrust()
        knows = known_sources(self.inventory, trust)
        saml = make_saml(
            self.inventory,
            accounts,
            product,
            trust,
            knows,
            lambda: self.environment.now(),
            random.Random(4).randbytes,
        )
        opening = open_federation(
            self.store,
            self.inventory,
            accounts,
            product,
            trust,
            saml,
            knows,
            no_roots,
            None,
            random.Random(3).randbytes,
        )
        fetcher = Fetcher(read_rules(("127.0.0.1",)))
        library_files = LibraryFiles(
            self.inventory,
            self.library_contents,
            "test",
            lambda _: True,
            lambda: self.environment.now(),
            random.Random(5).randbytes,
        )
        library_receiving = Receiving(self.inventory, library_files)
        bulks = Bulks(
            self.inventory, ItemInputs(Catalogue()), lambda: self.environment.now(), "test", timedelta(days=7)
        )
        feed = Feed(self.store, self.inventory.refresh)
        self.metrics = SharedMetrics(1)
        self.tally = Tally(self.metrics.take())
        certificates = Certificates(folder / "tls", (), lambda: NOW, has_tls=False)
        folders = Folders(folder, folder, folder)
        scrape = Scrape(
            self.metrics, self.inventory, feed, product, certificates, self.machine, folders, default_url(folder)
        )
        self.environment: Environment = Environment(
            inventory=self.inventory,
            provider=provider,
            tasks=Tasks(self.inventory, lambda: self.environment.now(), "test", lambda _: True, provider),
            product=product,
            now=lambda: NOW,
            present=lambda: self.environment.now(),
            random_bytes=random.Random(1).randbytes,
            list_limits=True,
            certificates=certificates,
            structures=VapiDocuments(),
            audit_log=AuditLog(folder / "log"),
            identities=identities_of(self.inventory, lambda: self.environment.now()),
            checks=Checks(self.inventory, lambda: self.environment.now()),
            federation=self._runner.run(opening),
            security_tokens=saml.tokens,
            library_files=library_files,
            library_receiving=library_receiving,
            library_sending=Sending(self.inventory, library_files),
            library_cleaning=Cleaning(self.inventory, library_files, library_receiving),
            fetcher=fetcher,
            web_packages=WebPackages(fetcher, library_files, 1 << 30),
            library_sync=LibrarySync(
                self.inventory,
                library_files,
                library_receiving,
                fetcher,
                1 << 30,
                verify_password,
                lambda: self.environment.now(),
                random.Random(7).randbytes,
            ),
            bulks=bulks,
            feed=feed,
            metrics=scrape.text,
            readers=Readers(8, 4),
            planner=Planner(
                self.inventory, bulks, lambda: accepted_by(bulks), lambda: self.environment.now(), feed.latest
            ),
            webhooks_allowed=read_rules(("127.0.0.1", "receiver.example")),
            machine=self.machine,
            readiness=Readiness(
                self.inventory, lambda: self.environment.now(), lambda: self.environment.now().timestamp()
            ),
            folders=folders,
            bundles=Bundles(
                self.inventory,
                FolderContents(folder / "support-bundles", f"test-{next(WORLDS)}", lambda _: True),
                folder,
                folder / "log",
                {"port": "8443"},
            ),
            updates=Updates(folder / "updates", 60.0, 600.0),
            log_connections=Connections(read_rules(("127.0.0.1",)), lambda: self.trusted_pem),
            shutdowns=Shutdowns(
                self.inventory,
                lambda: self.environment.now(),
                lambda edit: end_all_sessions(edit, self.inventory),
                0.0,
                None,
            ),
            faults=FaultRules(
                self.inventory,
                Counts(folder / "fault-counts", marks_of(self.inventory)),
                lambda: self.environment.now(),
            ),
            recovery=recovery_of(folder, self.store, self.inventory, lambda: self.environment.now()),
            states=States(
                self.inventory,
                library_files,
                Sealing(bytes(KEY_BYTES), random.Random(8).randbytes),
                1,
                lambda: self.environment.now(),
                random.Random(9).randbytes,
            ),
        )

        self.pulls = Pulls(
            self.inventory,
            self.environment.library_files,
            self.environment.library_receiving,
            self.environment.fetcher,
            1 << 30,
            lambda session: finish(self.environment, session),
        )

    def __enter__(self) -> World:
        return self

    def __exit__(self, *_: object) -> None:
        self._runner.run(self.pulls.close())
        self._runner.run(self.environment.checks.settle())
        self._runner.run(self.environment.feed.close())
        self._runner.run(self.environment.recovery.close())
        failed = tuple(self.inventory.all(Task).values())
        self._runner.run(self.store.close())
        self._runner.close()
        WITNESS.failures(failed)

    def serve_as(self, version: str) -> None:
        """Answer as that version of vCenter from now on."""
        product = msgspec.structs.replace(self.environment.product, version=version)
        self.environment = msgspec.structs.replace(self.environment, product=product)

    def call(self, operation: Operation[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """The operation's result; raises what its handler raises."""
        return self._runner.run(self.begin(operation, *args, **kwargs))

    def ask(self, operation: AnyOperation, value: Struct) -> Any:
        """The result of an operation for its whole input; raises what its handler raises."""
        return self.call(operation, *(getattr(value, field.name) for field in fields_of(type(value))))

    def _replica(self, tables: Iterable[Table[Any]]) -> Replica:
        """The store's contents, as far as these tables have them."""
        sealing = Sealing(bytes(KEY_BYTES), random.Random(1).randbytes)
        teller = Teller(lambda: self.environment.now() if hasattr(self, "environment") else NOW)
        tables = tuple(tables)
        there = {table.cls for table in tables}
        derived = [each for each in WIRING.derived if there.issuperset(each.hears)]
        replica = Replica(self.store, tables, sealing=sealing, derived=derived, rules=WIRING.rules, tells=teller)
        self._runner.run(replica.load())
        return replica

    def of_the_revision(self) -> Replica:
        """Another replica as of now, which has nothing but what raises the revision when it changes."""
        return self._replica(table for table in WIRING.tables if table.revises)

    @property
    def ids(self) -> dict[str, list[str]]:
        """The ids of all objects by the name of their type (``VirtualMachineId``)."""
        return {f"{cls.resource_type}Id": list(self.inventory.all(cls)) for cls in KINDS.values()}

    def begin(self, operation: Operation[P, R], *args: P.args, **kwargs: P.kwargs) -> Coroutine[Any, Any, R]:
        """The same call to be awaited, at once with others."""
        for name, value in (*zip(operation.input.__struct_fields__, args, strict=False), *kwargs.items()):
            check_unions(value, name)  # as every dialect does
        handler = IMPLEMENTATIONS[operation.id].handler
        call = Call(self.environment, operation, RootView(ADMIN), self.caller, "test")
        return whole(handler(call, *args, **kwargs))

    def run(self, work: Coroutine[Any, Any, R]) -> R:
        """The outcome of anything asynchronous, in this world's loop."""
        return self._runner.run(work)

    def refresh(self) -> None:
        """Show what other workers have done."""
        self._runner.run(self.inventory.refresh())

    def put(self, *objects: Stored) -> None:
        """Put objects into the inventory, new or changed."""

        def plan(edit: Edit) -> None:
            for obj in objects:
                edit.put(obj)

        self._runner.run(self.inventory.change(plan))

    def change(self, obj: T, **fields: Any) -> T:
        """``obj`` as it is now, with other fields."""
        current = self.inventory.get(type(obj), obj.id)
        assert current is not None
        changed = msgspec.structs.replace(current, **fields)
        self.put(changed)
        return changed


async def whole(result: Coroutine[Any, Any, R | Parted[R]]) -> R:
    """A handler's result; a list that comes in parts as it is declared."""
    found = await result
    return found.whole() if isinstance(found, Parted) else found
