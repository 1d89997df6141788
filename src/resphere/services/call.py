"""What a handler gets: one authenticated, authorized, validated call."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from functools import cache
from typing import Any, Protocol, TypeVar

import msgspec

from resphere.access.defaults import needed_to_find, needed_to_use
from resphere.access.knowing import told_to
from resphere.access.principal import Principal
from resphere.access.recording import Checks
from resphere.access.refusals import may_not_use, no_privileges
from resphere.access.seen import seen
from resphere.access.view import View
from resphere.appliance.bundles import Bundles
from resphere.appliance.database import Readiness
from resphere.appliance.folders import Folders
from resphere.appliance.machine import Machine
from resphere.appliance.receivers import Connections
from resphere.appliance.shutdowns import Shutdowns
from resphere.appliance.updates import Updates
from resphere.audit.reading import AuditLog
from resphere.auth.federation import Federation
from resphere.auth.identities import Identities
from resphere.auth.saml.tokens import SecurityTokens
from resphere.bulk.bulks import Bulks
from resphere.certificates.keeper import Certificates
from resphere.contract.errors import (
    InvalidArgument,
    NotAllowedInCurrentState,
    ResourceBusy,
    ResourceInaccessible,
    ResourceInUse,
    ServiceUnavailable,
    Unsupported,
    VapiError,
    message,
    vim_message,
)
from resphere.contract.generated import ids, vcenter
from resphere.contract.mentions import Knows
from resphere.contract.model import AnyOperation, Struct
from resphere.contract.releases import numbers
from resphere.events.cause import BEHIND
from resphere.events.feed import Feed
from resphere.events.readers import Readers
from resphere.faults.rules import FaultRules
from resphere.fetching.allowed import Allowed
from resphere.fetching.fetcher import Fetcher
from resphere.inventory.mentions import named
from resphere.inventory.model import Host, ManagedObject, VirtualMachine
from resphere.libraries.cleaning import Cleaning
from resphere.libraries.files import LibraryFiles
from resphere.libraries.receiving import Receiving
from resphere.libraries.sending import Sending
from resphere.libraries.syncing import LibrarySync
from resphere.libraries.web_packages import WebPackages
from resphere.limits.limits import Allowance
from resphere.providers.base import Missing, NotCapable, Provider, required
from resphere.recovery.recovery import Recovery
from resphere.replica.edit import Edit, Outcome
from resphere.replica.replica import Replica
from resphere.replica.table import Reading, T
from resphere.rules.refusals import not_found
from resphere.schedules.schedules import Planner
from resphere.states.states import States
from resphere.tasks.change import Change, Decision, change_inventory, lacking_message
from resphere.tasks.job import TaskJob
from resphere.tasks.origin import Origin
from resphere.tasks.runner import Tasks
from resphere.uuids import new_uuid

O = TypeVar("O", bound=ManagedObject)  # noqa: E741 - an object
A = TypeVar("A")
R = TypeVar("R")
S = TypeVar("S", bound=Struct)
V = TypeVar("V")
CONNECTED = vcenter.Host.ConnectionState.CONNECTED


MACHINES = (vcenter.VM.list.service, "com.vmware.vcenter.vm.")
"""Service, and what the names of its parts begin with, of virtual machines that are no templates."""
HIDING_TEMPLATES = (7, 0, 3)
"""Since which release that is so."""
SSO_DOMAIN = "vsphere.local"
"""The domain of local accounts."""


class OwnSession(Protocol):
    """The caller's own session, and the making of one at login."""

    @property
    def user(self) -> str:
        """The user's name."""

    @property
    def principal(self) -> Principal:
        """Who calls.

        :raises Unauthenticated: anybody, of a public operation.
        """

    @property
    def token(self) -> str | None:
        """The id of the API token by which the caller was let in, or which has opened the session."""

    @property
    def handle(self) -> str | None:
        """What people call the session, where there is one."""

    @property
    def created_time(self) -> datetime:
        """When the session was opened."""

    @property
    def last_accessed_time(self) -> datetime:
        """When it was used last."""

    async def open(self) -> str:
        """Open a session for the caller, whose password was good; returns its id."""

    async def close(self) -> None:
        """End the session."""


class Product(msgspec.Struct, frozen=True):
    """What the server says of itself, the same as long as it runs."""

    version: str
    build: str
    server_version: str
    instance_uuid: str
    api_releases: tuple[str, ...]
    provider: str
    """Who does the work."""
    capabilities: tuple[str, ...]
    """In which areas that can do something."""
    host_name: str = "localhost"
    """By what name this vCenter is known."""
    sso_domain: str = SSO_DOMAIN

    @property
    def hides_templates(self) -> bool:
        """Whether ``com.vmware.vcenter.VM`` and its parts know no templates: seen of 7.0.3 and 8.0, while 6.7 shows
        them."""
        return numbers(self.version) >= HIDING_TEMPLATES


class StructureForm(Protocol):
    """How structures are written as documents inside of texts: vAPI's own form, in which each says what it is."""

    def write(self, value: Struct) -> str:
        """A structure as JSON."""

    def read(self, document: Any, expected: type[S]) -> S:
        """The structure that a decoded document holds.

        :raises VapiError: it holds none of the type.
        """


class Environment(msgspec.Struct, frozen=True):
    """What all calls of a worker share."""

    inventory: Replica
    provider: Provider
    tasks: Tasks
    product: Product
    now: Callable[[], datetime]
    """What time it is in the vCenter, whose clock may have been set."""
    present: Callable[[], datetime]
    """What time it is on the machine: by that it is decided who is let in, and what is on record."""
    random_bytes: Callable[[int], bytes]
    """So many random bytes: what ids without a number are made of."""
    list_limits: bool
    """Whether lists refuse to return more than vCenter's maximum."""
    certificates: Certificates
    structures: StructureForm
    audit_log: AuditLog
    """What is on record."""
    identities: Identities
    checks: Checks
    """Which privileges were asked."""
    federation: Federation
    security_tokens: SecurityTokens
    """What issues SAML tokens."""
    library_files: LibraryFiles
    library_receiving: Receiving
    library_sending: Sending
    library_cleaning: Cleaning
    """The bytes of content libraries."""
    fetcher: Fetcher
    """Fetches from where the operator allows."""
    web_packages: WebPackages
    """Opens packages that are elsewhere."""
    library_sync: LibrarySync
    """Has subscribed libraries take what is new."""
    bulks: Bulks
    """Many calls as one task."""
    feed: Feed
    """What has happened, and happens."""
    metrics: Callable[[], Awaitable[bytes]]
    """What this server tells of itself to Prometheus."""
    readers: Readers
    """Who reads that as a stream."""
    planner: Planner
    """What is done at a time."""
    webhooks_allowed: Allowed
    """To where events may be sent."""
    machine: Machine
    """What the machine below tells."""
    readiness: Readiness
    """Whether this worker can do what it is asked."""
    folders: Folders
    """Where the server keeps what."""
    bundles: Bundles
    """Makes support bundles, and gives them out."""
    updates: Updates
    """What updates of the appliance go by."""
    log_connections: Connections
    """To servers that take logs."""
    shutdowns: Shutdowns
    """Shuts the appliance down at a time."""
    recovery: Recovery
    """Backups and restorations."""
    states: States
    """The inventory as it was."""
    faults: FaultRules
    """Calls that fail on purpose."""


class Call(msgspec.Struct, frozen=True, gc=False):
    """One call: who asks for what, and the means to answer."""

    environment: Environment
    operation: AnyOperation
    view: View
    session: OwnSession
    request_id: str
    origin: str = "https://*"
    """Where the caller has reached this server: scheme, host and port, ``*`` for a host that is not known."""
    allowance: Callable[[], Allowance] = Allowance
    """How much the caller may do at the moment."""
    client: str = ""
    """The address that the call comes from."""
    look_again: Callable[[], Awaitable[View]] | None = None
    """What the caller sees now, for a reply that goes on: raises :class:`Unauthenticated` once what has let the caller
    in is good no more."""

    @property
    def inventory(self) -> Reading:
        """The inventory as the caller sees it, to be handed on: up to date with all that was acknowledged before."""
        return seen(self.environment.inventory, self.view)

    def get(self, cls: type[T], identity: str) -> T | None:
        """The object of that class and id, if the caller sees one."""
        return self.inventory.get(cls, identity)

    def all(self, cls: type[T]) -> Mapping[str, T]:
        """All objects of the class that the caller sees, by id."""
        return self.inventory.all(cls)

    def by(self, cls: type[T], index: str, key: str) -> Mapping[str, T]:
        """The objects that have ``key`` in ``index`` and that the caller sees, by id."""
        return self.inventory.by(cls, index, key)

    @property
    def unfiltered(self) -> Replica:
        """The whole inventory: for changes, and for decisions that are the same whoever looks.

        What the caller does not see must not get into a reply from here. The modules that may use it, each with its
        reason, stand in ``tools/unfiltered.py``.
        """
        return self.environment.inventory

    @property
    def provider(self) -> Provider:
        """Who does the work."""
        return self.environment.provider

    @property
    def tasks(self) -> Tasks:
        """The tasks."""
        return self.environment.tasks

    @property
    def vcenter(self) -> str:
        """This vCenter's instance UUID, which refusals write after the ids of objects."""
        return self.environment.product.instance_uuid

    def new_uuid(self) -> str:
        """A UUID of random bits."""
        return new_uuid(self.environment.random_bytes)

    def require(self, cls: type[O], identity: str) -> O:
        """The object of that id.

        :raises NotFound: there is none; ids and words as vCenter 8.0 writes them.
        :raises Unauthorized: the caller does not see it, nor may view it where the operation needs no more.
        """
        found = self.environment.inventory.get(cls, identity)
        if found is None or self._is_hidden(found):
            raise not_found(self.vcenter, cls, identity)
        if not self.view.sees(found):
            privilege = needed_to_find(self.operation, cls.resource_type)
            if not self.view.holds(privilege, identity):
                raise no_privileges(privilege, identity, self.vcenter)
        return found

    def _is_hidden(self, obj: object) -> bool:
        """Whether the operation's service knows nothing of the object, because it is a template."""
        return (
            isinstance(obj, VirtualMachine)
            and obj.template
            and self.operation.service.startswith(MACHINES)
            and self.environment.product.hides_templates
        )

    def referred(self, cls: type[O], identity: str) -> O:
        """The object that one which the caller sees refers to, for figures and decisions: seen or not.

        :raises NotFound: there is none any more.
        """
        found = self.unfiltered.get(cls, identity)
        if found is None:
            raise not_found(self.vcenter, cls, identity)
        return found

    @property
    def knows(self) -> Knows:
        """Of which objects refusals may tell the caller, see :func:`told_to`."""
        return told_to(self.view)

    def may_use(self, obj: ManagedObject) -> bool:
        """Whether ``obj`` may be chosen for the caller, who names none: with the privileges that naming it needs."""
        return all(self.view.holds(each, obj.id) for each in needed_to_use(self.operation, obj.resource_type))

    def require_use(self, *objects: ManagedObject) -> None:
        """Refuse a place that follows from what the caller has named, and that the caller may not use.

        :raises Unauthorized: naming the privilege that is missing.
        """
        for obj in objects:
            for privilege in needed_to_use(self.operation, obj.resource_type):
                if not self.view.holds(privilege, obj.id):
                    raise may_not_use(privilege, obj, self.vcenter)

    async def run(
        self,
        description: str,
        target: O,
        decide: Callable[[Edit, O], Decision[R]],
        guard: Callable[[O], None] = lambda _: None,
        cancelable: bool = False,
        exclusive: bool | None = None,
    ) -> R:
        """Change ``target`` as a task and wait for its end.

        ``guard`` raises where its state forbids it; ``decide`` says what shall be done, writes nothing, and may be
        asked again.

        A VM whose host is not connected is refused: nobody there would do the work.

        ``exclusive``: refused as busy while other such work is under way on the target; by default so for VMs and
        hosts. A VM that is only read (the source of a clone) needs none.
        """
        return await self.tasks.run(
            self._origin(description),
            target,
            lambda job: Change(self.provider, self.unfiltered, job, decide).carry_out(),
            self._within_reach(guard),
            cancelable,
            exclusive,
        )

    async def launch(
        self,
        description: str,
        target: O,
        decide: Callable[[Edit, O], Decision[Any]],
        guard: Callable[[O], None] = lambda _: None,
        cancelable: bool = False,
        exclusive: bool | None = None,
        leaves_host: bool = False,
    ) -> ids.CisTASKId:
        """Begin to change ``target`` and return its task's id at once: what every ``$task`` operation answers.

        As :meth:`run` otherwise. What ``guard`` refuses before is the reply; what fails later stands in the task. The
        task's result is that of the change, which must be the result of the operation without ``$task``.

        ``leaves_host``: what is done to a VM is done by another host, so that its own need not be connected.
        """
        return ids.CisTASKId(
            await self.tasks.launch(
                self._origin(description),
                target,
                lambda job: Change(self.provider, self.unfiltered, job, decide).carry_out(),
                guard if leaves_host else self._within_reach(guard),
                cancelable,
                exclusive,
            )
        )

    async def run_work(
        self,
        description: str,
        target: O,
        work: Callable[[TaskJob[O]], Awaitable[R]],
        guard: Callable[[O], None] = lambda _: None,
    ) -> R:
        """Do what is more than one change, and wait for its end; ``work`` gets the job that it must end."""
        return await self.tasks.run(self._origin(description), target, work, self._within_reach(guard))

    async def launch_work(
        self,
        description: str,
        target: O,
        work: Callable[[TaskJob[O]], Awaitable[object]],
        guard: Callable[[O], None] = lambda _: None,
        cancelable: bool = False,
        exclusive: bool | None = None,
    ) -> ids.CisTASKId:
        """Begin what needs more than one change, or something of outside before it; as :meth:`launch` otherwise.

        ``work`` gets the job that it must end: by a :class:`~resphere.tasks.change.Change` of it.
        """
        return ids.CisTASKId(
            await self.tasks.launch(
                self._origin(description), target, work, self._within_reach(guard), cancelable, exclusive
            )
        )

    def _origin(self, description: str) -> Origin:
        operation = self.operation
        return Origin(
            operation.service,
            operation.name,
            description,
            self.session.user,
            busy_error(operation),
            in_use_error(operation),
            lacking_error(operation),
            self.request_id,
            BEHIND.get(),
        )

    async def settle(self, plan: Callable[[Edit], R]) -> R:
        """Make the one change that the operation makes, without a task: what ``plan`` returns must be what the
        operation answers, so that both are durable together where the call is made under a key."""

        def whole(edit: Edit) -> R:
            result = plan(edit)
            edit.outcome = Outcome(result)
            return result

        return await self.unfiltered.change(whole)

    async def change(
        self,
        description: str,
        target: O,
        plan: Callable[[Edit, O], R],
        guard: Callable[[O], None] = lambda _: None,
    ) -> R:
        """Change what stands in the inventory and needs no machine's doing, as a task; ``plan`` writes, and may
        refuse."""
        return await self.tasks.run(
            self._origin(description),
            target,
            lambda job: change_inventory(self.provider, job, plan),
            guard,
        )

    async def launch_change(
        self,
        description: str,
        target: O,
        plan: Callable[[Edit, O], object],
        guard: Callable[[O], None] = lambda _: None,
    ) -> ids.CisTASKId:
        """As :meth:`change`, in the background; returns the task's id."""
        return ids.CisTASKId(
            await self.tasks.launch(
                self._origin(description),
                target,
                lambda job: change_inventory(self.provider, job, plan),
                guard,
            )
        )

    async def launch_look(
        self,
        description: str,
        target: O,
        look: Callable[[], Awaitable[A]],
        found: Callable[[A, O], object],
    ) -> ids.CisTASKId:
        """Have a look at something outside, in the background; returns the task's id.

        The task results in what ``found`` makes of what ``look`` has seen and of ``target`` as it is then.
        """

        async def action(job: TaskJob[O]) -> object:
            seen = await look()
            return await job.complete(lambda _, current: found(seen, current))

        return ids.CisTASKId(await self.tasks.launch(self._origin(description), target, action))

    def required(self, verbs: V | Missing) -> V:
        """What the provider has for reading, such as ``provider.capabilities.statistics``.

        :raises VapiError: it has not; the error is one that the operation declares.
        """
        try:
            return required(verbs)
        except NotCapable as error:
            raise lacking_error(self.operation)(lacking_message(error)) from None

    def _within_reach(self, guard: Callable[[O], None]) -> Callable[[O], None]:
        def guarded(current: O) -> None:
            if isinstance(current, VirtualMachine):
                host = self.unfiltered.get(Host, current.host)
                if host is not None and host.connection_state is not CONNECTED:
                    raise unreachable(self.operation, current, host)
            guard(current)

        return guarded


def unreachable(operation: AnyOperation, vm: VirtualMachine, host: Host) -> VapiError:
    """The refusal of work on a VM whose host is not connected, as the operation declares it."""
    classes = {
        "service_unavailable": ServiceUnavailable,
        "resource_inaccessible": ResourceInaccessible,
        "not_allowed_in_current_state": NotAllowedInCurrentState,
    }
    cls = next((cls for name, cls in classes.items() if name in operation.errors), VapiError)
    return cls(
        message(
            "resphere.vm.host_not_connected",
            "The virtual machine {0} cannot be reached: its host {1} is {2}.",
            named(vm),
            named(host),
            host.connection_state.replace("_", " ").lower(),
        ),
        vim_message(
            "vmsg.HostNotConnected.summary", "Unable to communicate with the remote host, since it is disconnected."
        ),
    )


@cache
def lacking_error(operation: AnyOperation) -> type[VapiError]:
    """The error that the operation declares for what cannot be done here."""
    classes = {
        "unsupported": Unsupported,
        "not_allowed_in_current_state": NotAllowedInCurrentState,
        "service_unavailable": ServiceUnavailable,
        "resource_inaccessible": ResourceInaccessible,
        "invalid_argument": InvalidArgument,
    }
    return next((cls for name, cls in classes.items() if name in operation.errors), VapiError)


@cache
def busy_error(operation: AnyOperation) -> type[VapiError]:
    """The error that the operation declares for an object that other work is under way on."""
    for name, cls in (("resource_busy", ResourceBusy), ("error", VapiError)):
        if name in operation.errors:
            return cls
    return NotAllowedInCurrentState if "not_allowed_in_current_state" in operation.errors else ResourceBusy


def in_use_error(operation: AnyOperation) -> type[VapiError]:
    """The error that the operation declares for what others need."""
    return ResourceInUse if "resource_in_use" in operation.errors else busy_error(operation)
