"""Puts a worker together: the one place that knows every concrete part."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import timedelta
from functools import partial
from typing import Any

import msgspec

from resphere import __version__, services
from resphere.access.recording import Checks
from resphere.access.scoped import ScopedViews
from resphere.access.tree import TreeViews
from resphere.access.view import Views
from resphere.appliance.bundles import Bundles
from resphere.appliance.database import Readiness
from resphere.appliance.folders import Folders
from resphere.appliance.forwarding import LogForwarder
from resphere.appliance.machine import LocalMachine
from resphere.appliance.monitoring import Monitoring
from resphere.appliance.receivers import Connections as LogConnections
from resphere.appliance.shutdowns import Shutdowns
from resphere.appliance.tls_versions import TlsVersions
from resphere.appliance.updates import Updates
from resphere.audit import signing
from resphere.audit.batches import Counted
from resphere.audit.reading import AuditLog
from resphere.audit.retention import Keep
from resphere.audit.server_log import ServerLog
from resphere.audit.syncing import Sync
from resphere.auth.account_changes import AccountChanges
from resphere.auth.accounts import LocalAccounts
from resphere.auth.authentication import Authentication, Method
from resphere.auth.by_certificate import ByCertificate
from resphere.auth.by_directory import ByDirectory
from resphere.auth.by_library import LibraryPasswords
from resphere.auth.by_password import ByPassword
from resphere.auth.by_requester import ByRequester
from resphere.auth.by_session import BySession
from resphere.auth.by_token import ByToken
from resphere.auth.federation import Federation
from resphere.auth.group_changes import GroupChanges
from resphere.auth.identities import Identities
from resphere.auth.lockout import LockoutRules
from resphere.auth.password_rules import PasswordRules
from resphere.auth.passwords import verify_password
from resphere.auth.requesters import Requester
from resphere.auth.sessions import SessionLimits, Sessions, end_all_sessions
from resphere.auth.tokens import Tokens
from resphere.bulk.bulks import Bulks
from resphere.bulk.runner import BulkRunner
from resphere.certificates.tls import Roots, client_context
from resphere.contract.catalogue import Catalogue
from resphere.contract.extensions.content_transfers import ContentTransfers
from resphere.contract.extensions.guest_transfers import GuestTransfers
from resphere.dialects.items import ItemInputs
from resphere.dialects.table import Dialects, dialects
from resphere.dialects.vapi_documents import VapiDocuments
from resphere.events.delivering import Deliveries
from resphere.events.failed_logins import FailedLogins
from resphere.events.feed import Feed
from resphere.events.readers import Readers
from resphere.events.retention import Keep as KeepEvents
from resphere.events.retention import Retention
from resphere.events.seeing import Eyes, eyes_of
from resphere.events.telling import Teller
from resphere.faults.counts import Counts
from resphere.faults.rules import FaultRules, marks_of
from resphere.fetching.allowed import read_rules
from resphere.fetching.fetcher import Fetcher
from resphere.fetching.posting import Poster
from resphere.idempotency.replies import Bounds, KeptReplies
from resphere.inventory.clock import VcenterClock
from resphere.libraries.cleaning import Cleaning
from resphere.libraries.files import LibraryFiles
from resphere.libraries.persisting import FOLDER as PUBLISHED
from resphere.libraries.persisting import LEASE as PERSISTING
from resphere.libraries.persisting import PersistedLibraries
from resphere.libraries.pulling import Pulls
from resphere.libraries.receiving import Receiving
from resphere.libraries.sending import Sending
from resphere.libraries.syncing import LEASE as SYNC
from resphere.libraries.syncing import LibrarySync
from resphere.libraries.web_packages import WebPackages
from resphere.limits.addresses import counted_address
from resphere.limits.known import KnownAddresses
from resphere.limits.limits import Limits
from resphere.limits.policy import DEFAULT
from resphere.limits.shared import SharedState, monotonic_ns
from resphere.metrics.tally import Tally
from resphere.providers.base import Provider
from resphere.queries.standing import StandingLists
from resphere.recovery.backups import About, Backups
from resphere.recovery.means import read_folders
from resphere.recovery.places.base import Means
from resphere.recovery.recovery import Recovery
from resphere.recovery.restoring import Restores
from resphere.recovery.threads import Threads
from resphere.replica.lease import Leases
from resphere.replica.replica import Replica, Tells, Waits, as_it_is
from resphere.replica.sealing import Sealing, open_sealing
from resphere.schedules.listening import Listener
from resphere.schedules.runner import Clock
from resphere.schedules.schedules import Planner
from resphere.server.backup import GUEST_FILES
from resphere.server.behind_proxies import client_trust, trusted_proxies
from resphere.server.budget import UNFINISHED_BYTES, Budget, Budgets, Callers
from resphere.server.connections.dropping import Dropper
from resphere.server.connections.gate import find_gate
from resphere.server.connections.registry import Connections
from resphere.server.connections.sockets import AVAILABLE, Sockets
from resphere.server.connections.watch import Patience, Rounds, keep_watch
from resphere.server.counting import Memories, own_memories
from resphere.server.errands import Errands, unlimited
from resphere.server.faults import COUNTS, Faults
from resphere.server.federating import known_sources, open_federation
from resphere.server.forms.record import FORM
from resphere.server.kept import Kept
from resphere.server.known_callers import KnownCallers
from resphere.server.library_storage import open_library_contents
from resphere.server.limit_file import read_limits
from resphere.server.list_orders import FOLDER, KeptOrders
from resphere.server.memory import give_back, pass_over_present
from resphere.server.metrics.access import MetricsAccess
from resphere.server.metrics.audit import AuditMetrics
from resphere.server.metrics.commits import CommitMetrics
from resphere.server.metrics.looking import Looks
from resphere.server.metrics.requests import RequestMetrics
from resphere.server.metrics.scrape import Scrape
from resphere.server.open_files import most_connections, raise_limit
from resphere.server.pipeline import Pipeline
from resphere.server.present import now
from resphere.server.process_end import end_server
from resphere.server.providers import Parts, make_provider, read_durations
from resphere.server.proxies import TrustedProxies
from resphere.server.recorder import Policy, Recorder, heads_folder, note_logs, open_trail
from resphere.server.recovery import ServerArchives
from resphere.server.repeats import Repeats
from resphere.server.saml import Saml, issuer_name, make_saml
from resphere.server.saml_trust import SamlTrust, read_trust
from resphere.server.secrets_key import given_key
from resphere.server.settings import NO_FLAG, Settings
from resphere.server.strict_transport import StrictTransport
from resphere.server.tls import keeper, oldest_versions_file
from resphere.server.tracing.opening import open_tracing
from resphere.server.waiting import Waiting
from resphere.server.wiring import WIRING
from resphere.services.appliance.system.version import UNPATCHED
from resphere.services.call import Environment, Product
from resphere.services.checks.later import accepted_by
from resphere.services.content.library.item.update_session import finish
from resphere.services.registry import load
from resphere.states.states import States
from resphere.store.base import Liveness, Store
from resphere.store.engines import folder_of, open_store, shown_url
from resphere.tasks.observing import Observations
from resphere.tasks.runner import Tasks

log = logging.getLogger(__name__)

SWEEP_SECONDS = 30.0
LARGEST_BODIES = 6
STRANGERS_BYTES = 16 * 1024 * 1024
REPLIES_BYTES = 64 * 1024 * 1024
MOST_UNFINISHED, UNFINISHED_OF_ANYBODY = 8192, 4
"""So many requests are waited for the rest of: in all, and of each address however many others have."""
FEED = "feed"
"""The lease of whoever runs the provider's feed."""
CLOCK = "schedules"
"""The lease of whoever fires schedules."""
LISTENER = "schedules-at-events"
"""The lease of whoever listens to events for schedules."""
WEBHOOKS = "webhooks"
"""The lease of whoever sends to webhooks."""
FORWARDING = "log-forwarding"
"""The lease of whoever sends the logs elsewhere."""
MONITORING = "monitoring"
"""The lease of whoever measures the machine."""
SECRETS_KEY = "secrets_key"
"""What the names of settings begin with that say how secrets are encrypted."""
BUNDLES = "support-bundles"
"""The archives of support bundles."""
SHUTDOWNS = "shutdowns"
"""The lease of whoever shuts the appliance down."""
TLS_VERSIONS = "tls-versions"
"""The lease of whoever hands on which versions of TLS are spoken."""
BACKUPS = "backups"
"""The lease of whoever makes backups that are due."""


async def open_replica(store: Store, sealing: Sealing, tells: Tells | None = None, waits: Waits = as_it_is) -> Replica:
    """The inventory in memory, loaded."""
    replica = Replica(
        store, WIRING.tables, sealing=sealing, derived=WIRING.derived, rules=WIRING.rules, tells=tells, waits=waits
    )
    await replica.load()
    return replica


class Worker(msgspec.Struct, frozen=True):
    """What one worker process answers requests with."""

    pipeline: Pipeline
    dialects: Dialects
    connections: Connections
    budgets: Budgets
    proxies: TrustedProxies
    transport: StrictTransport
    dropper: Dropper


@asynccontextmanager
async def running(
    settings: Settings, memories: Memories | None = None, port: int | None = None
) -> AsyncIterator[Worker]:
    """A worker from its start to its orderly end; ``memories`` are what it shares with others.

    ``port`` is where it serves, and where its connections are watched.

    What was begun is released in the reverse order, also where the start fails, and whatever else cannot be released.
    """
    async with AsyncExitStack() as stack:
        shared = own_memories() if memories is None else memories
        yield await start(settings, shared, port, stack)


async def start(settings: Settings, memories: Memories, port: int | None, stack: AsyncExitStack) -> Worker:
    """Begin all that a worker runs; ``stack`` ends it."""
    name = f"{os.getpid()}-{secrets.token_hex(4)}"
    stack.callback(ServerLog(settings.logs).close)
    stack.callback(log.info, "worker %s stopped", name)
    store = await open_store(settings.store_url)
    stack.push_async_callback(store.close)
    tally = Tally(memories.metrics.take())
    recorder = await recording(settings, store, AuditMetrics(tally).count, stack)
    sealing = await open_sealing(store, secrets.token_bytes, given_key(settings))
    replica = await open_replica(store, sealing, Teller(now), CommitMetrics(tally, time.perf_counter).measured)
    clock = VcenterClock(replica, now)
    pass_over_present()
    give_back()
    liveness = await store.liveness(name)
    stack.push_async_callback(liveness.release)
    feed = Feed(store, replica.refresh)
    stack.push_async_callback(feed.close)
    failed_logins = FailedLogins(store, now)
    stack.push_async_callback(failed_logins.close)
    provider = make_provider(Parts(settings, replica, await store.contents(GUEST_FILES, liveness), clock.now))
    library_contents = await open_library_contents(settings, store, liveness, stack)
    library_files = LibraryFiles(replica, library_contents, name, liveness.is_alive, clock.now, secrets.token_bytes)
    library_receiving = Receiving(replica, library_files)
    library_cleaning = Cleaning(replica, library_files, library_receiving)
    tasks = Tasks(replica, clock.now, name, liveness.is_alive, provider)
    stack.push_async_callback(tasks.close)
    sessions = Sessions(replica, session_limits(settings), now, secrets.token_bytes)
    stack.push_async_callback(sessions.finish)
    accounts = LocalAccounts(
        replica,
        secrets.token_bytes,
        now=now,
        rules=password_rules(settings),
        lockout=lockout_rules(settings),
        knows=lambda id, client: known.knows(id, counted_address(client)),
    )
    stack.push_async_callback(accounts.finish)
    tokens = Tokens(replica, timedelta(days=settings.max_token_days), now, secrets.token_bytes)
    stack.push_async_callback(tokens.finish)
    policy = read_limits(settings.limits) if settings.limits else DEFAULT
    known = KnownAddresses(replica, policy.logins.known_days, now)
    stack.push_async_callback(known.finish)
    checks = Checks(replica, now)
    stack.push_async_callback(checks.settle)
    about = product(settings, replica.epoch, provider)
    trust = read_trust(settings.saml_trust) if settings.saml_trust else SamlTrust()
    knows = known_sources(replica, trust)
    saml = make_saml(replica, accounts, about, trust, knows, now, secrets.token_bytes)
    await saml.signing.ensure(issuer_name(about), now)
    certificates = keeper(settings, now)
    single_use = saml.replays if settings.single_use_tokens else None
    poster = Poster(read_rules(settings.webhook_to), certificates.trusted_pem)
    federation = await open_federation(
        store, replica, accounts, about, trust, saml, knows, certificates.trusted_pem, single_use, secrets.token_bytes
    )
    stack.callback(federation.directories.close)
    fetcher = Fetcher(read_rules(settings.fetch_from), certificates.trusted_pem)
    most_bytes = settings.max_library_file_bytes
    library_sync = LibrarySync(
        replica, library_files, library_receiving, fetcher, most_bytes, verify_password, clock.now, secrets.token_bytes
    )
    catalogue = Catalogue(settings.api_release)
    keep = timedelta(hours=settings.bulk_keep_hours)
    bulks = Bulks(replica, ItemInputs(catalogue), clock.now, name, keep)
    planner = Planner(replica, bulks, partial(accepted_by, bulks), clock.now, feed.latest)
    library_passwords = LibraryPasswords(replica, secrets.token_bytes)
    stack.callback(library_passwords.close)
    by_directory = ByDirectory(replica, federation.directories, settings.default_domain)
    replies = KeptReplies(replica, bounds_of_keys(settings), name, liveness.is_alive, now)
    stack.push_async_callback(replies.close)
    durations = read_durations(settings.durations)
    shutdowns = Shutdowns(
        replica,
        now,
        partial(end_all_sessions, replica=replica),
        durations.reboot_appliance,
        end_server if settings.poweroff == "end" else None,
    )
    machine = LocalMachine()
    bundle_contents = await store.contents(BUNDLES, liveness)
    bundles = Bundles(replica, bundle_contents, settings.data_dir, settings.logs, told_settings(settings))
    log_connections = LogConnections(read_rules(settings.syslog_to), certificates.trusted_pem)
    recovery = recovering(settings, store, replica, about, certificates.trusted_pem, liveness)
    stack.push_async_callback(recovery.close)
    fault_counts = Counts(settings.data_dir / COUNTS, marks_of(replica))
    stack.callback(fault_counts.close)
    fault_rules = FaultRules(replica, fault_counts, now)
    if fault_rules.active:
        log.warning("there are rules for faults: calls fail on purpose (resphere faults list)")
    scrape = Scrape(
        memories.metrics, replica, feed, about, certificates, machine, folders(settings), settings.store_url
    )
    waiting = Waiting(replica, settings.max_wait_seconds)
    stack.push_async_callback(waiting.close)
    pipeline = Pipeline(
        environment=Environment(
            inventory=replica,
            provider=provider,
            tasks=tasks,
            product=about,
            now=clock.now,
            present=now,
            random_bytes=secrets.token_bytes,
            list_limits=settings.list_limits,
            certificates=certificates,
            structures=VapiDocuments(),
            audit_log=AuditLog(settings.logs),
            identities=identities(replica, accounts, sessions, tokens),
            checks=checks,
            federation=federation,
            security_tokens=saml.tokens,
            library_files=library_files,
            library_receiving=library_receiving,
            library_sending=Sending(replica, library_files),
            library_cleaning=library_cleaning,
            fetcher=fetcher,
            web_packages=WebPackages(fetcher, library_files, most_bytes),
            library_sync=library_sync,
            bulks=bulks,
            feed=feed,
            metrics=scrape.text,
            readers=Readers(settings.max_event_streams, settings.max_event_streams_per_user),
            planner=planner,
            webhooks_allowed=poster.allowed,
            machine=machine,
            readiness=Readiness(replica, now, time.monotonic, lambda: memories.draining.begun),
            folders=folders(settings),
            bundles=bundles,
            updates=Updates(settings.update_repository, durations.stage_update, durations.install_update),
            log_connections=log_connections,
            shutdowns=shutdowns,
            recovery=recovery,
            states=States(replica, library_files, sealing, FORM, clock.now, secrets.token_bytes),
            faults=fault_rules,
        ),
        authentication=authentication(settings, accounts, sessions, tokens, federation, by_directory, saml),
        library_passwords=library_passwords,
        sessions=sessions,
        known_callers=KnownCallers(replica, sessions),
        views=ScopedViews(replica, TreeViews(replica)),
        limits=Limits(
            policy, SharedState(memories.calls), known, monotonic_ns, failures=SharedState(memories.failures)
        ),
        implementations=load(services),
        faults=Faults(fault_rules, sessions),
        kept=Kept(),
        repeats=Repeats(replies, tasks),
        waiting=waiting,
        failed_logins=failed_logins,
        recorder=recorder,
        metrics=RequestMetrics(tally),
        metrics_access=MetricsAccess(settings.metrics),
        tracing=open_tracing(os.environ, __version__, stack),
        orders=KeptOrders(settings.data_dir / FOLDER, time.time),
        standing_lists=StandingLists(),
        list_turn=asyncio.Lock(),
        clock=time.perf_counter,
        body_limit_bytes=settings.max_body_bytes,
        stream_limits={
            GuestTransfers.upload.service: settings.max_guest_file_bytes,
            ContentTransfers.upload.service: settings.max_library_file_bytes,
        },
    )
    finish_session = partial(finish, pipeline.environment)
    pulls = Pulls(replica, library_files, library_receiving, fetcher, most_bytes, finish_session)
    stack.push_async_callback(pulls.close)
    await pulls.tend()
    orphans = await tasks.take_over_orphans()
    if orphans:
        log.warning("%d tasks had been interrupted and are ended now", orphans)
    retention = Retention(store, KeepEvents(settings.events_keep_seconds, settings.events_keep_bytes), now)
    parts: dict[type, Any] = {
        type(part): part
        for part in (
            sessions,
            tokens,
            tasks,
            retention,
            known,
            saml.replays,
            library_cleaning,
            pulls,
            bulks,
            replies,
            recovery,
        )
    }
    sweeps = [partial(sweep.run, parts[sweep.part]) for sweep in WIRING.sweeps]
    go_on(stack, sweep_now_and_then(replica, sweeps))
    observing = partial(provider.feed, Observations(replica, clock.now))
    leases = Leases(replica, liveness)
    go_on(stack, leases.hold(FEED, observing))
    go_on(stack, leases.hold(SYNC, library_sync.run))
    forwarder = LogForwarder(replica, settings.logs, log_connections, machine.host_name)
    monitoring = Monitoring(replica, machine, folders(settings), now, time.monotonic)
    go_on(stack, leases.hold(MONITORING, monitoring.run))
    go_on(stack, leases.hold(FORWARDING, forwarder.run))
    go_on(stack, leases.hold(SHUTDOWNS, shutdowns.run))
    if settings.tls:
        go_on(stack, leases.hold(TLS_VERSIONS, TlsVersions(replica, oldest_versions_file(settings)).run))
    go_on(stack, leases.hold(CLOCK, Clock(replica, planner, clock.now).run))
    listener = Listener(replica, planner, feed, eyes_of_requesters(replica, accounts, tokens, pipeline.views), now)
    go_on(stack, leases.hold(LISTENER, listener.run))
    go_on(stack, leases.hold(BACKUPS, recovery.schedules.run))
    source = f"urn:uuid:{about.instance_uuid}"
    deliveries = Deliveries(replica, feed, poster, pipeline.views, accounts.principal, now, source)
    go_on(stack, leases.hold(WEBHOOKS, deliveries.run))
    go_on(stack, BulkRunner(replica, bulks, Errands(unlimited(pipeline)), tasks, liveness, settings.workers).run())
    persisted = PersistedLibraries(replica, library_contents, settings.data_dir / PUBLISHED)
    go_on(stack, leases.hold(PERSISTING, persisted.run))
    log.info("worker %s serves %s", name, shown_url(settings.store_url))
    connections = Connections(time.monotonic)
    dropper = Dropper(None)
    readers, limits = pipeline.environment.readers, pipeline.limits
    go_on(stack, Looks(tally, replica, connections, readers, limits, time.monotonic).run())
    if AVAILABLE and port is not None:
        gate = find_gate(port)
        if gate is not None:
            stack.callback(gate.close)
        ports = (port, settings.appliance_port) if settings.appliance_port else (port,)
        dropper = Dropper(Sockets(*ports))
        rounds = Rounds(Sockets(*ports), patience(settings), time.monotonic, gate)
        go_on(stack, keep_watch(connections, rounds, partial(let_go, feed, waiting)))
    return Worker(
        pipeline,
        dialects(catalogue, settings.max_body_bytes, now),
        connections,
        budgets(settings.max_body_bytes),
        trusted_proxies(settings),
        StrictTransport(settings.hsts_seconds),
        dropper,
    )


def recovering(
    settings: Settings, store: Store, replica: Replica, about: Product, roots: Roots, liveness: Liveness
) -> Recovery:
    """Backups and restorations."""
    threads = Threads()
    archives = ServerArchives(settings, store, replica, threads, now)
    means = Means(
        allowed=read_rules(settings.backup_to),
        folders=read_folders(settings.backup_folders),
        known_hosts=settings.backup_known_hosts,
        tls=partial(client_context, None, roots),
    )
    system = About(about.host_name, about.version + UNPATCHED, about.build)
    owner = liveness.name
    backups = Backups(replica, archives, means, system, owner, threads, now, secrets.token_bytes)
    restores = Restores(replica, archives, means, owner, threads, now)
    return Recovery(replica, archives, backups, restores, threads, owner, liveness.is_alive, now)


def let_go(feed: Feed, waiting: Waiting) -> None:
    """Have nobody wait for anything any more, as the worker stops."""
    feed.stop()
    waiting.stop()


async def recording(settings: Settings, store: Store, counted: Counted, stack: AsyncExitStack) -> Recorder:
    """What records calls, until ``stack`` ends it."""
    trail = open_trail(settings, await store.keys.get(signing.KEY, signing.KEY_BYTES), now)
    note_logs(settings)
    policy, sync = Policy(settings.audit_policy), Sync(settings.audit_sync)
    recorder = Recorder(trail, settings.logs / "vpxd.log", policy, sync, now, counted)
    stack.callback(recorder.close)
    keep = Keep(seconds=settings.audit_keep_seconds, bytes=settings.audit_keep_bytes)
    go_on(stack, recorder.tend(keep, settings.logs, heads_folder(settings.data_dir)))
    return recorder


def go_on(stack: AsyncExitStack, work: Coroutine[Any, Any, None]) -> None:
    """Have ``work`` done beside the requests until ``stack`` ends it."""
    task = asyncio.get_running_loop().create_task(work)

    async def end() -> None:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    stack.push_async_callback(end)


async def sweep_now_and_then(replica: Replica, sweeps: Sequence[Callable[[], Awaitable[object]]]) -> None:
    """What every worker does at its start, for what others left when they died, and now and then."""
    while True:
        try:
            await replica.refresh()
            for sweep in sweeps:
                await sweep()
        except Exception:
            log.exception("the periodic clean-up failed and will be tried again")
        await asyncio.sleep(SWEEP_SECONDS)


def authentication(
    settings: Settings,
    accounts: LocalAccounts,
    sessions: Sessions,
    tokens: Tokens,
    federation: Federation,
    by_directory: ByDirectory,
    saml: Saml,
) -> Authentication:
    """The methods by which callers may show who they are."""
    by_tokens = (ByToken(tokens, accounts), federation.by_identity_token)
    at_login: tuple[Method, ...] = (*by_tokens, by_directory, ByPassword(accounts))
    trust = client_trust(settings)
    if trust is not None:
        at_login = (*at_login, ByCertificate(trust, accounts))
    return Authentication(
        at_login=(*at_login, saml.by_saml, saml.by_certificate),
        at_calls=(*by_tokens, BySession(sessions, accounts, tokens), saml.by_saml, ByRequester(accounts, tokens)),
        joined=accounts.joined,
        single_use=federation.single_use,
    )


def eyes_of_requesters(
    replica: Replica, accounts: LocalAccounts, tokens: Tokens, views: Views
) -> Callable[[Requester], Eyes | None]:
    """What of events those see who have asked for work, ``None`` for who may not have any done now."""
    requesters = ByRequester(accounts, tokens)

    def eyes(requester: Requester) -> Eyes | None:
        principal = requesters.principal(requester, now())
        return None if principal is None else eyes_of(replica, views.of(principal), principal)

    return eyes


def identities(replica: Replica, accounts: LocalAccounts, sessions: Sessions, tokens: Tokens) -> Identities:
    """What services manage users with."""
    return Identities(accounts, AccountChanges(replica, accounts), GroupChanges(replica), sessions, tokens)


def password_rules(settings: Settings) -> PasswordRules:
    """The settings that concern new passwords."""
    days = settings.password_days
    rules = PasswordRules(
        length=settings.password_length,
        reuse=settings.password_reuse,
        lifetime=timedelta(days=days) if days else None,
    )
    if settings.password_classes:
        return rules
    return msgspec.structs.replace(rules, alphabetic=0, upper=0, lower=0, numeric=0, special=0, side_by_side=0)


def lockout_rules(settings: Settings) -> LockoutRules:
    """The settings that concern wrong passwords."""
    return LockoutRules(
        attempts=settings.lockout_attempts,
        within=timedelta(seconds=settings.lockout_interval_seconds),
        duration=timedelta(seconds=settings.lockout_seconds),
    )


def folders(settings: Settings) -> Folders:
    """Where the settings keep what."""
    return Folders(settings.data_dir, settings.logs, folder_of(settings.store_url))


def told_settings(settings: Settings) -> dict[str, str]:
    """The settings that may be shown to those who help: none that is a secret, or says how one is had."""
    return {
        name: str(value)
        for name, value in msgspec.structs.asdict(settings).items()
        if name not in NO_FLAG and not name.startswith(SECRETS_KEY) and name != "given"
    }


def bounds_of_keys(settings: Settings) -> Bounds:
    """The settings that concern ``Idempotency-Key``."""
    return Bounds(timedelta(seconds=settings.idempotency_seconds), settings.max_idempotency_keys)


def patience(settings: Settings) -> Patience:
    """The settings that concern connections."""
    return Patience(
        most=most_connections(raise_limit(), settings.workers, settings.max_connections),
        request_seconds=settings.connection_request_seconds,
        idle_seconds=settings.connection_idle_seconds,
        stall_seconds=settings.connection_stall_seconds,
    )


def budgets(max_body_bytes: int) -> Budgets:
    """How many bytes of bodies a worker holds: some of the largest, and of strangers' so many that none is large; and
    how many requests it waits for the rest of."""

    def emptied() -> None:
        asyncio.get_running_loop().run_in_executor(None, give_back)

    def unfinished() -> Budget:
        return Budget(MOST_UNFINISHED * UNFINISHED_BYTES, emptied, UNFINISHED_OF_ANYBODY * UNFINISHED_BYTES)

    return Budgets(
        known=Callers(Budget(LARGEST_BODIES * max_body_bytes, emptied), unfinished()),
        strangers=Callers(Budget(STRANGERS_BYTES, emptied), unfinished()),
        replies=Budget(REPLIES_BYTES, emptied),
    )


def session_limits(settings: Settings) -> SessionLimits:
    """The settings that concern sessions."""
    return SessionLimits(
        idle=timedelta(seconds=settings.session_idle_seconds),
        lifetime=timedelta(seconds=settings.session_lifetime_seconds),
        per_user=settings.max_sessions_per_user,
        total=settings.max_sessions,
    )


def product(settings: Settings, epoch: str, provider: Provider) -> Product:
    """What the server says of itself."""
    return Product(
        version=settings.version,
        build=settings.build,
        server_version=__version__,
        instance_uuid=epoch,
        api_releases=Catalogue(settings.api_release).releases,
        provider=provider.name,
        capabilities=provider.capabilities.names,
        host_name=settings.tls_names[0] if settings.tls_names else socket.gethostname(),
    )
