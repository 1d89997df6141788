"""What a decided change asks of a provider, and what is claimed for it while it is done.

An effect is plain data: it says what shall be done to which objects, as they are decided. It is kept with its task
while a provider is at work, so that any worker can ask afterwards whether it has come true.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar, TypeAlias

import msgspec

from resphere.contract.generated.vcenter_guest import CustomizationSpec
from resphere.contract.generated.vcenter_vm_guest import Processes
from resphere.contract.generated.vcenter_vm_guest_filesystem import Files
from resphere.inventory.content.items import LibraryItem
from resphere.inventory.content.templates import CheckOut
from resphere.inventory.contents import DiskContent
from resphere.inventory.customization import GuestCustomization
from resphere.inventory.guest import GuestTransfer
from resphere.inventory.model import Host, Snapshot, UnregisteredVm, VirtualMachine
from resphere.inventory.vapp import VappConfiguration


class Effect(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="effect"):
    """What all effects are: values that a store can keep."""


class CreateVm(Effect, frozen=True, kw_only=True, tag=True):
    """``vm`` comes to be, off; then it starts on ``start_on`` if that is set. ``vapp`` is what the package that it is
    made of says to its guest, ``images`` are the files of its CD-ROM drives that come with it, by their paths: without
    parts as long as they are on their way."""

    vm: VirtualMachine
    vapp: VappConfiguration | None = None
    start_on: Host | None = None
    images: dict[str, DiskContent] = {}


class DeleteVm(Effect, frozen=True, kw_only=True, tag=True):
    """``vm`` goes, with its files."""

    vm: VirtualMachine


class RegisterVm(Effect, frozen=True, kw_only=True, tag=True):
    """The files of a VM become ``vm``; ``snapshots`` tells the new ids of its snapshots by the old ones."""

    vm: VirtualMachine
    files: UnregisteredVm
    snapshots: dict[str, str]


class UnregisterVm(Effect, frozen=True, kw_only=True, tag=True):
    """``vm`` is forgotten; its files stay."""

    vm: VirtualMachine


class CloneVm(Effect, frozen=True, kw_only=True, tag=True):
    """``vm`` comes to be, off, with the content of ``source``; then it starts on its host where ``power_on`` says so.

    ``customization`` waits for its first start. ``item`` is the item of a content library whose content ``vm`` becomes,
    ``check_out`` says that it is checked out of one.
    """

    source: VirtualMachine
    vm: VirtualMachine
    power_on: bool = False
    customization: GuestCustomization | None = None
    item: LibraryItem | None = None
    check_out: CheckOut | None = None


class InstantCloneVm(Effect, frozen=True, kw_only=True, tag=True):
    """``vm`` runs on from where ``source``, which runs, is."""

    source: VirtualMachine
    vm: VirtualMachine


class RelocateVm(Effect, frozen=True, kw_only=True, tag=True):
    """``before`` goes to where ``after`` stands, with its files."""

    before: VirtualMachine
    after: VirtualMachine


class ReconfigureVm(Effect, frozen=True, kw_only=True, tag=True):
    """The hardware of ``before`` becomes that of ``after``."""

    before: VirtualMachine
    after: VirtualMachine


class PowerOn(Effect, frozen=True, kw_only=True, tag=True):
    """``vm`` starts, or is resumed from suspension, on ``host``."""

    vm: VirtualMachine
    host: Host


class PowerOff(Effect, frozen=True, kw_only=True, tag=True):
    """``vm`` stops without its guest being asked."""

    vm: VirtualMachine


class Reset(Effect, frozen=True, kw_only=True, tag=True):
    """``vm`` starts again without its guest being asked."""

    vm: VirtualMachine


class Suspend(Effect, frozen=True, kw_only=True, tag=True):
    """``vm`` stops and keeps its running state."""

    vm: VirtualMachine


class ShutDownGuest(Effect, frozen=True, kw_only=True, tag=True):
    """The guest of ``vm`` shuts down, and ``vm`` is off."""

    vm: VirtualMachine


class RebootGuest(Effect, frozen=True, kw_only=True, tag=True):
    """The guest of ``vm`` reboots; done when it was asked."""

    vm: VirtualMachine


class TakeSnapshot(Effect, frozen=True, kw_only=True, tag=True):
    """``snapshot`` keeps ``vm`` as it is."""

    vm: VirtualMachine
    snapshot: Snapshot


class RevertToSnapshot(Effect, frozen=True, kw_only=True, tag=True):
    """``before`` becomes ``after``, which is what ``snapshot`` holds, where it stands now."""

    before: VirtualMachine
    after: VirtualMachine
    snapshot: Snapshot


class DeleteSnapshots(Effect, frozen=True, kw_only=True, tag=True):
    """``snapshots`` (ids) go; without ``consolidate`` their disks stay unmerged."""

    vm: VirtualMachine
    snapshots: tuple[str, ...]
    consolidate: bool = True


class ConsolidateDisks(Effect, frozen=True, kw_only=True, tag=True):
    """What deleted snapshots of ``vm`` have left is merged."""

    vm: VirtualMachine


class NewHost(msgspec.Struct, frozen=True, kw_only=True):
    """A host to be added. ``verify``: its certificate's SHA-1 thumbprint must be ``thumbprint``."""

    hostname: str
    port: int
    user_name: str
    password: str
    verify: bool
    thumbprint: str | None


class AddHost(Effect, frozen=True, kw_only=True, tag=True):
    """A host comes under vCenter's control, to stand in the folder with the id ``folder``; it gets the id ``host``."""

    new_host: NewHost
    folder: str
    host: str


class ConnectHost(Effect, frozen=True, kw_only=True, tag=True):
    """``host`` is reached again."""

    host: Host


class DisconnectHost(Effect, frozen=True, kw_only=True, tag=True):
    """``host``, and what runs on it, is left to itself."""

    host: Host


class FailHost(Effect, frozen=True, kw_only=True, tag=True):
    """``host`` dies, and with it what runs on it."""

    host: Host


class RecoverHost(Effect, frozen=True, kw_only=True, tag=True):
    """``host``, which had died, is started again."""

    host: Host


class EnterMaintenanceMode(Effect, frozen=True, kw_only=True, tag=True):
    """VMs go to other hosts (``moves``: id of the VM -> id of the host), then ``host`` takes none any more."""

    host: Host
    moves: dict[str, str]
    with_powered_off: bool


class ExitMaintenanceMode(Effect, frozen=True, kw_only=True, tag=True):
    """``host`` takes VMs again."""

    host: Host


class MakeDirectory(msgspec.Struct, frozen=True, kw_only=True, tag=True, tag_field="change"):
    """A directory of a guest, with ``parents`` those above it too."""

    path: str
    parents: bool


class DeleteDirectory(msgspec.Struct, frozen=True, kw_only=True, tag=True, tag_field="change"):
    """A directory of a guest goes, with ``recursive`` whatever is in it."""

    path: str
    recursive: bool


class MoveDirectory(msgspec.Struct, frozen=True, kw_only=True, tag=True, tag_field="change"):
    """A directory of a guest gets another place or name."""

    path: str
    new_path: str


class DeleteFile(msgspec.Struct, frozen=True, kw_only=True, tag=True, tag_field="change"):
    """A file or symbolic link of a guest goes."""

    path: str


class MoveFile(msgspec.Struct, frozen=True, kw_only=True, tag=True, tag_field="change"):
    """A file or symbolic link of a guest gets another place or name, with ``overwrite`` that of another one."""

    path: str
    new_path: str
    overwrite: bool


class MakeTemporary(msgspec.Struct, frozen=True, kw_only=True, tag=True, tag_field="change"):
    """A file or directory of a guest whose name has ``unique`` in it; results in its path."""

    type: Files.Type
    prefix: str
    suffix: str
    parent: str | None
    unique: str


class UpdateFile(msgspec.Struct, frozen=True, kw_only=True, tag=True, tag_field="change"):
    """A file of a guest gets other attributes."""

    path: str
    attributes: Files.FileAttributesUpdateSpec


FileChange: TypeAlias = (
    MakeDirectory | DeleteDirectory | MoveDirectory | DeleteFile | MoveFile | MakeTemporary | UpdateFile
)


class ChangeGuestFile(Effect, frozen=True, kw_only=True, tag=True):
    """A file or directory in the guest of ``vm`` changes."""

    vm: VirtualMachine
    change: FileChange


class StartProcess(Effect, frozen=True, kw_only=True, tag=True):
    """A program starts in the guest of ``vm``; results in the number of its process."""

    vm: VirtualMachine
    spec: Processes.CreateSpec
    user: str


class EndProcess(Effect, frozen=True, kw_only=True, tag=True):
    """A process in the guest of ``vm`` ends."""

    vm: VirtualMachine
    pid: int


class AgreeOnTransfer(Effect, frozen=True, kw_only=True, tag=True):
    """A file may be sent into the guest of ``vm``, or out of it."""

    vm: VirtualMachine
    transfer: GuestTransfer


class Received(msgspec.Struct, frozen=True, kw_only=True):
    """What was sent for a guest: ``data`` where it is small, else the name of a stored content."""

    data: bytes | None = None
    content: str | None = None


class EndUpload(Effect, frozen=True, kw_only=True, tag=True):
    """What was received becomes the file of ``transfer``, which is used up."""

    vm: VirtualMachine
    transfer: GuestTransfer
    received: Received


class EndDownload(Effect, frozen=True, kw_only=True, tag=True):
    """``transfer``, for which ``digest`` was opened, is used up."""

    vm: VirtualMachine
    transfer: GuestTransfer
    digest: str


class ConnectInstaller(Effect, frozen=True, kw_only=True, tag=True):
    """The installer of Tools is in a CD-ROM drive of ``vm``."""

    vm: VirtualMachine


class DisconnectInstaller(Effect, frozen=True, kw_only=True, tag=True):
    """The installer of Tools is in no drive of ``vm``."""

    vm: VirtualMachine


class UpgradeTools(Effect, frozen=True, kw_only=True, tag=True):
    """Tools of ``vm`` become the current release."""

    vm: VirtualMachine


class CustomizeGuest(Effect, frozen=True, kw_only=True, tag=True):
    """The guest of ``vm``, which runs, gets names and addresses; it was asked for at ``began``."""

    vm: VirtualMachine
    spec: CustomizationSpec
    began: datetime


AnyEffect: TypeAlias = (
    CreateVm
    | DeleteVm
    | RegisterVm
    | UnregisterVm
    | CloneVm
    | InstantCloneVm
    | RelocateVm
    | ReconfigureVm
    | PowerOn
    | PowerOff
    | Reset
    | Suspend
    | ShutDownGuest
    | RebootGuest
    | TakeSnapshot
    | RevertToSnapshot
    | DeleteSnapshots
    | ConsolidateDisks
    | AddHost
    | ConnectHost
    | DisconnectHost
    | FailHost
    | RecoverHost
    | EnterMaintenanceMode
    | ExitMaintenanceMode
    | ChangeGuestFile
    | StartProcess
    | EndProcess
    | AgreeOnTransfer
    | EndUpload
    | EndDownload
    | ConnectInstaller
    | DisconnectInstaller
    | UpgradeTools
    | CustomizeGuest
)


class Intent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """An effect that is decided and not yet settled; ``id`` is that of its task.

    ``claims`` are the unique keys that its outcome will hold, ``room`` what it will take of datastores: id -> bytes.
    ``result`` is what the task results in, of plain values. ``effect`` may hold passwords: it is sealed.
    """

    kind: ClassVar[str] = "intent"

    id: str
    effect: AnyEffect
    claims: tuple[str, ...] = ()
    room: dict[str, int] = {}
    result: Any = None
