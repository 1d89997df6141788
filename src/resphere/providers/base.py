"""What does the work behind the services, by capability.

A provider implements the protocols it can. What it cannot do it refuses with ``Unsupported`` and a sentence that says
why. No provider knows another.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol, TypeVar

import msgspec

from resphere.contract.generated import ids
from resphere.contract.generated.vcenter_guest import CustomizationSpec
from resphere.contract.generated.vcenter_vm_guest import Credentials, LocalFilesystem, Processes
from resphere.contract.generated.vcenter_vm_guest_filesystem import Files
from resphere.contract.model import ByteStream
from resphere.inventory.guest import GuestTransfer
from resphere.inventory.model import Folder, Host, ManagedObject, Snapshot, UnregisteredVm, VirtualMachine
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica

O_co = TypeVar("O_co", bound=ManagedObject, covariant=True)
O = TypeVar("O", bound=ManagedObject)  # noqa: E741 - an object
R = TypeVar("R")


class Job(Protocol[O_co]):
    """One piece of work on one managed object, with its task.

    A provider may call ``begin`` when the work starts to take time, ``progress`` while it goes on, and must end it with
    exactly one ``complete``; raising a ``VapiError`` instead fails the task.
    """

    @property
    def target(self) -> O_co:
        """The object as it was when the work was asked for."""

    def now(self) -> datetime:
        """The present moment."""

    async def begin(self) -> None:
        """Record that the work is running. Work that is over at once need not."""

    async def spend(self, seconds: float) -> None:
        """Let simulated time pass (none: return at once). Begins the work; ends early when it is canceled.

        :raises Canceled: the task was canceled meanwhile.
        """

    async def progress(self, percent: int) -> None:
        """Record how far the work is (0 to 100)."""

    async def complete(self, plan: Callable[[Edit, O_co], R], *, reports: bool = False) -> R:
        """Commit the outcome and the task's success in one transaction.

        ``plan`` gets the object as it is *now*, after the guard of the operation has been asked again. ``reports``:
        what it returns is the task's result, for others to read.
        """


class PowerProvider(Protocol):
    """Power of virtual machines."""

    async def power_on(self, job: Job[VirtualMachine]) -> None:
        """Start, or resume from suspension."""

    async def power_off(self, job: Job[VirtualMachine]) -> None:
        """Stop without asking the guest."""

    async def reset(self, job: Job[VirtualMachine]) -> None:
        """Restart without asking the guest."""

    async def reboot_guest(self, job: Job[VirtualMachine]) -> None:
        """Have the guest reboot; done when it was asked."""

    async def suspend(self, job: Job[VirtualMachine]) -> None:
        """Keep the running state and stop."""

    async def shut_down_guest(self, job: Job[VirtualMachine]) -> None:
        """Have the guest shut down: off, cleanly."""


class SnapshotProvider(Protocol):
    """Snapshots of virtual machines."""

    async def create_snapshot(self, job: Job[VirtualMachine], snapshot: Snapshot) -> str:
        """Take ``snapshot`` (its ``state`` and id are filled in at completion) and return its id."""

    async def revert_to_snapshot(self, job: Job[VirtualMachine], snapshot_id: str) -> None:
        """Bring the VM back to what the snapshot holds."""

    async def delete_snapshots(
        self, job: Job[VirtualMachine], snapshot_ids: tuple[str, ...], consolidate: bool = True
    ) -> None:
        """Delete the snapshots; children of a deleted one get its parent. Without ``consolidate`` their disks stay."""

    async def consolidate(self, job: Job[VirtualMachine]) -> None:
        """Merge the disks that deleted snapshots have left."""


class HardwareProvider(Protocol):
    """The hardware of virtual machines."""

    async def reconfigure(
        self, job: Job[VirtualMachine], change: Callable[[VirtualMachine], tuple[VirtualMachine, R]]
    ) -> R:
        """Give the VM the hardware that ``change`` makes of what it has.

        ``change`` is pure, may refuse, and returns the changed VM with whatever the caller wants to know of it (the key
        of a new device). The difference between the two VMs is what has to be done.
        """


class NewHost(msgspec.Struct, frozen=True, kw_only=True):
    """A host to be added. ``verify``: its certificate's SHA-1 thumbprint must be ``thumbprint``."""

    hostname: str
    port: int
    user_name: str
    password: str
    verify: bool
    thumbprint: str | None


class Registration(msgspec.Struct, frozen=True, kw_only=True):
    """The files of a VM, the name that it gets, and the ids of where it goes."""

    files: UnregisteredVm
    name: str
    folder: str
    host: str
    resource_pool: str


class Copy(msgspec.Struct, frozen=True, kw_only=True):
    """A machine to be made from another one: ``vm`` as it is made of that.

    ``running``: it runs on from where that is. Else it is off at first, and ``power_on`` starts it.
    """

    vm: VirtualMachine
    running: bool = False
    power_on: bool = False


class LifecycleProvider(Protocol):
    """The coming and going of virtual machines."""

    async def create_vm(self, job: Job[Folder], make: Callable[[Edit, Folder], VirtualMachine]) -> ids.VirtualMachineId:
        """Create the VM that ``make`` makes, in the folder.

        ``make`` is asked in the transaction (and may be before, to refuse early); it relies on what it chose by.
        """

    async def register_vm(
        self, job: Job[Folder], choose: Callable[[Edit, Folder], Registration]
    ) -> ids.VirtualMachineId:
        """Bring the VM back that ``choose`` names, which is asked as ``make`` of :meth:`create_vm`."""

    async def unregister_vm(self, job: Job[VirtualMachine]) -> None:
        """Take the VM and its snapshots out of the inventory and leave its files."""

    async def clone_vm(
        self, job: Job[VirtualMachine], make: Callable[[Edit, VirtualMachine], Copy]
    ) -> ids.VirtualMachineId:
        """Make the VM that ``make`` makes of the target, which is asked as that of :meth:`create_vm`."""

    async def relocate_vm(
        self, job: Job[VirtualMachine], change: Callable[[Edit, VirtualMachine], VirtualMachine]
    ) -> None:
        """Move the VM with its files and snapshots to where ``change`` puts it, which is asked as ``make``."""

    async def delete_vm(self, job: Job[VirtualMachine]) -> None:
        """Delete the VM with its snapshots and files."""


class HostProvider(Protocol):
    """Hosts."""

    async def add_host(self, job: Job[Folder], wanted: NewHost) -> ids.HostSystemId:
        """Reach the host, verify its certificate, log in, and add it to the folder as a standalone host."""

    async def cpu_model_of(self, wanted: NewHost) -> str:
        """Reach the host as :meth:`add_host` does, and say which processor it has."""

    async def connect_host(self, job: Job[Host]) -> None:
        """Reach the host again."""

    async def disconnect_host(self, job: Job[Host]) -> None:
        """Leave the host, and what runs on it, to itself."""

    async def enter_maintenance_mode(self, job: Job[Host], with_powered_off: bool) -> None:
        """Move the VMs that run (``with_powered_off``: all) to other hosts, then enter maintenance mode."""

    async def exit_maintenance_mode(self, job: Job[Host]) -> None:
        """Leave maintenance mode."""


class InventoryProvider(Protocol):
    """Containers and their places: what stands in the inventory and needs no machine's doing."""

    async def change_inventory(self, job: Job[O], plan: Callable[[Edit, O], R]) -> R:
        """Do what ``plan`` makes of the target as it is at completion; it may refuse."""


class GuestFiles(Protocol):
    """The files of a guest. Paths are absolute, written as the guest's system writes them.

    Everything raises ``NotFound`` for what is not there, ``InvalidArgument`` where a file is not a directory or the
    other way round or a path is none, ``Unauthorized`` where the guest forbids it; with the contract's details.
    """

    def info(self, path: str) -> Files.Info:
        """What a path leads to; a symbolic link itself."""

    def summaries(self, path: str) -> tuple[Files.Summary, ...]:
        """What is in a directory, or the file alone."""

    def make_directory(self, path: str, parents: bool) -> None:
        """Make a directory.

        :raises AlreadyExists: something is there.
        """

    def delete_directory(self, path: str, recursive: bool) -> None:
        """Delete a directory.

        :raises ResourceInUse: it has content, and ``recursive`` is not set.
        """

    def move_directory(self, path: str, new_path: str) -> None:
        """Move a directory.

        :raises AlreadyExists: something is there.
        """

    def delete_file(self, path: str) -> None:
        """Delete a file or symbolic link."""

    def move_file(self, path: str, new_path: str, overwrite: bool) -> None:
        """Move a file or symbolic link.

        :raises AlreadyExists: something is there, and ``overwrite`` is not set or it is a directory.
        """

    def make_temporary(self, type: Files.Type, prefix: str, suffix: str, parent: str | None, unique: str) -> str:
        """Make a file or directory whose name has ``unique`` in it; returns its path."""

    def update(self, path: str, attributes: Files.FileAttributesUpdateSpec) -> None:
        """Change a file's attributes."""


class GuestProvider(Protocol):
    """What is done inside guests. The caller has made sure that the VM runs and that its Tools do."""

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

    async def change_files(self, job: Job[VirtualMachine], act: Callable[[GuestFiles], R]) -> R:
        """Change the guest's files by ``act``, wholly or not at all."""

    def processes(self, vm: VirtualMachine, now: datetime) -> dict[int, Processes.Info]:
        """The guest's processes, with those that ended lately, by number."""

    def process(self, vm: VirtualMachine, pid: int, now: datetime) -> Processes.Info:
        """One of them.

        :raises NotFound: there is none of that number.
        """

    async def start_process(self, job: Job[VirtualMachine], spec: Processes.CreateSpec, user: str) -> int:
        """Start a program in the guest; returns the number of its process."""

    async def end_process(self, job: Job[VirtualMachine], pid: int) -> None:
        """End a process.

        :raises NotFound: there is none of that number.
        """

    def has_installer(self, vm: VirtualMachine) -> bool:
        """Whether the installer of Tools is connected."""

    async def connect_installer(self, job: Job[VirtualMachine]) -> None:
        """Connect the installer of Tools.

        :raises AlreadyInDesiredState: it is.
        :raises NotAllowedInCurrentState: the VM has no CD-ROM drive.
        """

    async def disconnect_installer(self, job: Job[VirtualMachine]) -> None:
        """Disconnect the installer of Tools, if it is connected."""

    async def upgrade_tools(self, job: Job[VirtualMachine]) -> None:
        """Bring Tools to the current release."""

    async def customize(self, job: Job[VirtualMachine], spec: CustomizationSpec) -> None:
        """Customize the guest of a running VM."""

    async def agree_on_transfer(self, job: Job[VirtualMachine], transfer: GuestTransfer) -> None:
        """Keep a transfer that may be made; the guest's start and the host are filled in."""

    async def download(self, job: Job[VirtualMachine], transfer: GuestTransfer) -> ByteStream:
        """Make a transfer out of the guest, which ends it: the file as it is now, whatever becomes of it meanwhile.

        Whoever gets it closes it.
        """

    async def upload(self, job: Job[VirtualMachine], transfer: GuestTransfer, content: ByteStream) -> None:
        """Make a transfer into the guest, which ends it. Nothing is done before all of ``content`` has come.

        :raises InvalidArgument: it is not of the size that was announced.
        """


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


class StatisticsProvider(Protocol):
    """Figures of machines at moments, which are seconds since the epoch and not in the future."""

    def vm_loads(self, vm: VirtualMachine, times: Sequence[float]) -> list[Load]:
        """Of a virtual machine, a load for each moment; nothing while it is not on."""

    def host_loads(self, host: Host, times: Sequence[float]) -> list[Load]:
        """Of a host: of all that runs there, and itself."""


class Provider(Protocol):
    """Everything that services ask of a provider, by capability."""

    @property
    def name(self) -> str:
        """``simulator``, ``libvirt``..., as ``GET /api`` shows it."""

    @property
    def power(self) -> PowerProvider: ...

    @property
    def hardware(self) -> HardwareProvider: ...

    @property
    def snapshots(self) -> SnapshotProvider: ...

    @property
    def lifecycle(self) -> LifecycleProvider: ...

    @property
    def hosts(self) -> HostProvider: ...

    @property
    def inventory(self) -> InventoryProvider: ...

    @property
    def guests(self) -> GuestProvider: ...

    @property
    def statistics(self) -> StatisticsProvider: ...

    async def feed(self, inventory: Replica) -> None:
        """Keep ``inventory`` true to what the provider's own source says, until canceled.

        A provider whose truth is the store itself returns at once.
        """
