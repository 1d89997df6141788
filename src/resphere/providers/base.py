"""What does the work behind the services: verbs on plain data, by capability.

A provider gets objects as they are decided and returns :class:`~resphere.inventory.facts.Facts`: what it observed.
It knows nothing of transactions, tasks and vCenter's bookkeeping, and no other provider. It states what it
can do in one value::

    class Cats:
        name = "cats"

        def __init__(self, herd: Herd) -> None:
            self.capabilities = Capabilities(
                power=CatPower(herd), lifecycle=CatLifecycle(herd), snapshots=Missing("Cats cannot be copied."), ...
            )

What is :class:`Missing` is refused in one place, with the provider's sentence and an error that the operation declares.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol, TypeVar

import msgspec

from resphere.contract.generated.vcenter_guest import CustomizationSpec
from resphere.contract.generated.vcenter_vm_guest import Credentials, LocalFilesystem, Processes
from resphere.contract.generated.vcenter_vm_guest_filesystem import Files
from resphere.contract.model import ByteStream
from resphere.inventory.customization import GuestCustomization
from resphere.inventory.effects import AnyEffect, FileChange, NewHost, Received
from resphere.inventory.facts import Facts, HostFacts, ObservedMachine
from resphere.inventory.guest import GuestTransfer
from resphere.inventory.model import (
    Host,
    ManagedObject,
    Snapshot,
    UnregisteredVm,
    VirtualMachine,
)

V = TypeVar("V")


class Missing(msgspec.Struct, frozen=True):
    """What stands in the place of verbs that a provider does not have; ``why`` is a sentence for who asks."""

    why: str


class Work(Protocol):
    """The handle of an effect under way.

    A verb does all of it, or raises a ``VapiError`` and has done nothing; after anything else that it raises,
    :meth:`Provider.observe` is asked what has become of it.
    """

    @property
    def id(self) -> str:
        """Its name, the same when it is asked for after a crash; none yet where the provider answers at once."""

    async def progress(self, percent: int) -> None:
        """Record how far it is (0 to 100)."""

    def is_canceled(self) -> bool:
        """Whether somebody has asked for it to be stopped; a provider that can stops, and raises ``Canceled``."""


class Power(Protocol):
    """Power of virtual machines, without their guests being asked."""

    async def power_on(self, work: Work, vm: VirtualMachine, host: Host) -> Facts:
        """Start ``vm`` on ``host``, or resume it from suspension."""

    async def power_off(self, work: Work, vm: VirtualMachine) -> Facts:
        """Stop."""

    async def reset(self, work: Work, vm: VirtualMachine) -> Facts:
        """Start again."""


class Suspension(Protocol):
    """Suspending virtual machines."""

    async def suspend(self, work: Work, vm: VirtualMachine) -> Facts:
        """Keep the running state and stop."""


class GuestPower(Protocol):
    """Power of guests, which are asked. The caller has made sure that Tools run."""

    async def shut_down(self, work: Work, vm: VirtualMachine) -> Facts:
        """Have the guest shut down; the machine is then off."""

    async def reboot(self, work: Work, vm: VirtualMachine) -> Facts:
        """Have the guest reboot; done when it was asked."""


class Lifecycle(Protocol):
    """The coming and going of virtual machines."""

    async def create(self, work: Work, vm: VirtualMachine) -> Facts:
        """Make ``vm``, which is off; its disks are new where no file of their path is there."""

    async def delete(self, work: Work, vm: VirtualMachine) -> Facts:
        """Delete ``vm``, which is off, with its snapshots and files."""


class Registration(Protocol):
    """Virtual machines whose files stay when they are forgotten."""

    async def register(
        self, work: Work, vm: VirtualMachine, files: UnregisteredVm, snapshots: Mapping[str, str]
    ) -> Facts:
        """Bring ``vm`` back from its files; ``snapshots``: old ids -> new ones."""

    async def unregister(self, work: Work, vm: VirtualMachine) -> Facts:
        """Forget ``vm`` and leave its files."""


class Copies(Protocol):
    """Virtual machines that are made of others."""

    async def clone(
        self,
        work: Work,
        source: VirtualMachine,
        vm: VirtualMachine,
        power_on: bool,
        customization: GuestCustomization | None,
    ) -> Facts:
        """Make ``vm`` with the content of ``source``: off, or with ``power_on`` running on its host.

        ``customization`` waits for its first start.
        """

    async def instant_clone(self, work: Work, source: VirtualMachine, vm: VirtualMachine) -> Facts:
        """Make ``vm`` run on from where ``source`` is."""


class Migration(Protocol):
    """Virtual machines that go elsewhere."""

    async def relocate(self, work: Work, before: VirtualMachine, after: VirtualMachine) -> Facts:
        """Move ``before`` with its files and snapshots to where ``after`` stands."""

    async def migrate(self, work: Work, vm: str, host: str) -> Facts:
        """Have the machine with the id ``vm``, running or not, be on the host with the id ``host``; its files stay."""


class Hardware(Protocol):
    """The hardware of virtual machines."""

    async def reconfigure(self, work: Work, before: VirtualMachine, after: VirtualMachine) -> Facts:
        """Make the hardware of ``before`` that of ``after``: the difference is what has to be done."""


class Snapshots(Protocol):
    """Snapshots of virtual machines."""

    async def take(self, work: Work, vm: VirtualMachine, snapshot: Snapshot) -> Facts:
        """Keep ``vm`` as it is."""

    async def revert(self, work: Work, before: VirtualMachine, after: VirtualMachine, snapshot: Snapshot) -> Facts:
        """Make ``before`` what ``snapshot`` holds: ``after``."""

    async def delete(self, work: Work, vm: VirtualMachine, snapshots: Sequence[str], consolidate: bool) -> Facts:
        """Delete the snapshots with those ids; without ``consolidate`` their disks stay."""

    async def consolidate(self, work: Work, vm: VirtualMachine) -> Facts:
        """Merge the disks that deleted snapshots have left."""


class Hosts(Protocol):
    """Hosts that come, go and are reached."""

    async def inspect(self, new_host: NewHost) -> HostFacts:
        """Reach a host, verify its certificate, log in, and hear what it says of itself.

        :raises UnverifiedPeer: its certificate is not the one expected.
        :raises Unauthenticated: it does not take name and password.
        """

    async def add(self, work: Work, new_host: NewHost, id: str) -> Facts:
        """:meth:`inspect` a host and take it under control, as the host with that id."""

    async def connect(self, work: Work, host: Host) -> Facts:
        """Reach the host again."""

    async def disconnect(self, work: Work, host: Host) -> Facts:
        """Leave the host, and what runs on it, to itself."""


class Failures(Protocol):
    """Hosts that die on purpose."""

    async def fail(self, work: Work, host: Host) -> Facts:
        """Have the host be silent, and what runs on it stop without notice."""

    async def recover(self, work: Work, host: Host) -> Facts:
        """Start the host again; nothing runs on it yet."""


class Maintenance(Protocol):
    """Maintenance mode of hosts."""

    async def enter(self, work: Work, host: Host) -> Facts:
        """Have the host, which nothing runs on any more, take no virtual machines."""

    async def exit(self, work: Work, host: Host) -> Facts:
        """Have it take virtual machines again."""


class GuestFiles(Protocol):
    """The files of a guest, to be looked at. Paths are absolute, written as the guest's system writes them.

    Everything raises ``NotFound`` for what is not there, ``InvalidArgument`` where a file is not a directory or the
    other way round or a path is none, ``Unauthorized`` where the guest forbids it; with the contract's details.
    """

    def info(self, path: str) -> Files.Info:
        """What a path leads to; a symbolic link itself."""

    def summaries(self, path: str) -> tuple[Files.Summary, ...]:
        """What is in a directory, or the file alone."""


class Opened(msgspec.Struct, frozen=True, kw_only=True):
    """A guest's file, opened to be sent: whoever has it closes ``stream``. ``digest`` tells its content."""

    stream: ByteStream
    digest: str


class Guests(Protocol):
    """What is done inside guests. The caller has made sure that the machine runs and that its Tools do."""

    def log_in(self, vm: VirtualMachine, credentials: Credentials) -> str:
        """The name of the guest's user with these credentials.

        :raises Unauthenticated: they are wrong.
        :raises Unsupported: the guest takes none of that kind.
        """

    def has_desktop_user(self, vm: VirtualMachine) -> bool:
        """Whether somebody is logged on to the guest's desktop."""

    def environment(self, vm: VirtualMachine) -> dict[str, str]:
        """The environment variables of the guest's user."""

    def is_name_of(self, vm: VirtualMachine, variable: str, name: str) -> bool:
        """Whether an environment variable is meant by a name, in the guest's way of telling names apart."""

    def filesystems(self, vm: VirtualMachine) -> dict[str, LocalFilesystem.Info]:
        """The guest's file systems by mount point, as full as they are now."""

    def files(self, vm: VirtualMachine, now: datetime) -> GuestFiles:
        """The guest's files, to be looked at."""

    async def change_file(self, work: Work, vm: VirtualMachine, change: FileChange) -> Facts:
        """Make a change of the guest's files, wholly or not at all.

        :raises AlreadyExists: something is there, and is not to be overwritten.
        :raises ResourceInUse: a directory that is to be deleted has content.
        """

    def processes(self, vm: VirtualMachine, now: datetime) -> dict[int, Processes.Info]:
        """The guest's processes, with those that ended lately, by number."""

    def process(self, vm: VirtualMachine, pid: int, now: datetime) -> Processes.Info:
        """One of them.

        :raises NotFound: there is none of that number.
        """

    async def start_process(self, work: Work, vm: VirtualMachine, spec: Processes.CreateSpec, user: str) -> Facts:
        """Start a program; results in the number of its process."""

    async def end_process(self, work: Work, vm: VirtualMachine, pid: int) -> Facts:
        """End a process.

        :raises NotFound: there is none of that number.
        """

    async def agree_on_transfer(self, work: Work, vm: VirtualMachine, transfer: GuestTransfer) -> Facts:
        """Keep a transfer that may be made; the guest's start and the host are filled in."""

    async def open_download(self, vm: VirtualMachine, transfer: GuestTransfer) -> Opened:
        """The file of a transfer as it is now, whatever becomes of it meanwhile."""

    async def end_download(self, work: Work, vm: VirtualMachine, transfer: GuestTransfer, digest: str) -> Facts:
        """Use up a transfer whose file was opened with that digest.

        :raises ConcurrentChange: the file is another now.
        """

    async def receive(self, vm: VirtualMachine, transfer: GuestTransfer, content: ByteStream) -> Received:
        """Take in what is sent for a transfer, and close ``content``. Nothing of the guest changes yet.

        :raises InvalidArgument: it is not of the size that was announced.
        """

    async def discard(self, received: Received) -> None:
        """Let go of what was received in vain."""

    async def end_upload(self, work: Work, vm: VirtualMachine, transfer: GuestTransfer, received: Received) -> Facts:
        """Make what was received the file of a transfer, and use that up."""


class Tools(Protocol):
    """VMware Tools in guests."""

    def has_installer(self, vm: VirtualMachine) -> bool:
        """Whether the installer is connected."""

    async def connect_installer(self, work: Work, vm: VirtualMachine) -> Facts:
        """Connect the installer.

        :raises AlreadyInDesiredState: it is.
        :raises NotAllowedInCurrentState: the machine has no CD-ROM drive.
        """

    async def disconnect_installer(self, work: Work, vm: VirtualMachine) -> Facts:
        """Disconnect the installer, if it is connected."""

    async def upgrade(self, work: Work, vm: VirtualMachine) -> Facts:
        """Bring Tools to the current release."""


class Customization(Protocol):
    """Names and addresses for guests."""

    async def customize(self, work: Work, vm: VirtualMachine, spec: CustomizationSpec, began: datetime) -> Facts:
        """Customize the guest of a machine that runs."""


class Load(msgspec.Struct, frozen=True, gc=False):
    """What a machine does at a moment. ``cpu_MHz`` is asked for, ``memory_MiB`` taken."""

    cpu_MHz: float
    memory_MiB: float
    disk_read_KBps: float
    disk_write_KBps: float
    network_receive_KBps: float
    network_send_KBps: float


IDLE = Load(0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
"""Nothing at all."""


class Statistics(Protocol):
    """Figures of machines at moments, which are seconds since the epoch and not in the future."""

    def vm_loads(self, vm: VirtualMachine, times: Sequence[float]) -> list[Load]:
        """Of a virtual machine, a load for each moment; nothing while it is not on."""

    def host_loads(self, host: Host, times: Sequence[float]) -> list[Load]:
        """Of a host: of all that runs there, and itself."""


class ChangedObject(msgspec.Struct, frozen=True, kw_only=True):
    """An object of the inventory before and after a change; ``None`` where it was not, or is no more."""

    before: ManagedObject | None
    after: ManagedObject | None


class InventoryChanges(Protocol):
    """A provider that wants to hear of what changes in the inventory alone: names, folders, pools, networks."""

    async def change(self, work: Work, changes: Sequence[ChangedObject]) -> Facts:
        """Act on the changes, or refuse by raising a ``VapiError`` that the operation declares.

        Of the facts only documents count, which are stored with the changes. Where these have become others meanwhile,
        it is called again with what they are then.
        """


class Capabilities(msgspec.Struct, frozen=True, kw_only=True):
    """What a provider can do: verbs, or why it has none.

    ``at_once``: its verbs change nothing outside and never wait. They are then called within the transaction that
    stores their facts, and again where that has to be repeated.
    """

    at_once: bool = False
    power: Power
    lifecycle: Lifecycle
    hardware: Hardware | Missing
    suspension: Suspension | Missing
    guest_power: GuestPower | Missing
    registration: Registration | Missing
    copies: Copies | Missing
    migration: Migration | Missing
    snapshots: Snapshots | Missing
    hosts: Hosts | Missing
    maintenance: Maintenance | Missing
    failures: Failures | Missing
    guests: Guests | Missing
    tools: Tools | Missing
    customization: Customization | Missing
    statistics: Statistics | Missing
    inventory_changes: InventoryChanges | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Those that are there, as ``GET /api`` shows them."""
        fields = (name for name in self.__struct_fields__ if name not in ("at_once", "inventory_changes"))
        return tuple([name for name in fields if not isinstance(getattr(self, name), Missing)])


class Outdated(Exception):
    """What a provider that answers at once has read is gone already: it is to be asked again on the present state."""


class NotReady(Exception):
    """A provider that answers at once has to wait for something first: it is to be asked again within ``ready``."""

    def __init__(self, ready: AbstractAsyncContextManager[None]) -> None:
        super().__init__()
        self.ready = ready


class NotCapable(Exception):
    """The provider lacks what is asked of it; ``why`` is its sentence."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def required(verbs: V | Missing) -> V:
    """The verbs, where the provider has them.

    :raises NotCapable: it has not.
    """
    if isinstance(verbs, Missing):
        raise NotCapable(verbs.why)
    return verbs


class Step(msgspec.Struct, frozen=True, gc=False):
    """A part of simulated work: how long it takes, and how far the work is then (0 to 100; unset: not told)."""

    seconds: float
    progress: int | None = None


class Inventory(Protocol):
    """Whom a provider tells what has happened behind vCenter's back."""

    async def machines(self) -> Mapping[str, VirtualMachine]:
        """The machines that the inventory knows at this moment, by id."""

    async def machine_changed(self, before: VirtualMachine, facts: Facts) -> None:
        """The machine, which was ``before`` when it was looked at, is as ``facts`` say.

        Passed over where it has become another since, or work is under way on it: then it is to be looked at again.
        """

    async def machine_appeared(self, machine: ObservedMachine) -> str | None:
        """There is a machine that nobody made through vCenter; returns the id that it has from now on, ``None`` for
        one that is just being made.

        :raises VapiError: the inventory has no place for it.
        """

    async def machine_gone(self, before: VirtualMachine) -> None:
        """The machine, which was ``before`` when it was looked for, is no more; passed over as :meth:`machine_changed`
        is."""


class Provider(Protocol):
    """What services, tasks and the server need of a provider."""

    @property
    def name(self) -> str:
        """``simulator``, ``libvirt``..., as ``GET /api`` shows it."""

    @property
    def capabilities(self) -> Capabilities:
        """What it can do."""

    def steps(self, effect: AnyEffect) -> Sequence[Step]:
        """The steps of an effect whose time is simulated; none of a provider that takes its own time."""

    async def observe(self, work: str, effect: AnyEffect) -> Facts | None:
        """Whether an effect has come true whose caller died, and whose ``work`` had that id: the facts, or ``None``
        where nothing has happened. What is said here stays so: what is still on its way is waited for, or called off.
        Several workers may ask.
        """

    async def feed(self, inventory: Inventory) -> None:
        """Tell ``inventory`` what happens by itself, until canceled.

        A provider whose truth is the store itself brings about what is due.
        """
