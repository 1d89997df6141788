"""What a guest keeps while it runs and between: its files, its processes, and the transfers that were agreed upon.

Of a guest that nobody has changed nothing is stored: its system is made of what the VM is, each time somebody looks.
The first change stores it, in one document; contents of more than a few lines are documents of their own, named by
their digest and never changed, so that a snapshot of a guest costs its table of files and nothing more. Of large ones
the document only names a file beside the store (``store.contents``), which clones share.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any, ClassVar

import msgspec

from resphere.contract.generated.vcenter_vm_guest_filesystem import Files, Transfers
from resphere.inventory.model import Snapshot, UnregisteredVm, VirtualMachine
from resphere.replica.table import OnDelete, Reference, Table, own_id

INLINE_BYTES = 2048
"""Contents up to this size stand beside their file; larger ones are documents of their own."""

DOCUMENT_BYTES = 65_536
"""What is sent into a guest and is larger than this is a file beside the store, and never whole in memory."""


class GuestNode(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A file, directory or symbolic link. ``size`` is in bytes; ``permissions`` are octal, as of chmod.

    A file's content is ``data``, or the :class:`GuestContent` of ``digest``, or that of ``file`` where it is large.
    ``locked``: not even the guest's administrator may change it or what is below.
    """

    name: str
    type: Files.Type
    modified: datetime
    accessed: datetime
    created: datetime
    size: int = 0
    data: bytes = b""
    digest: str | None = None
    file: str | None = None
    target: str | None = None
    owner: int = 0
    group: int = 0
    permissions: str = "0644"
    hidden: bool = False
    read_only: bool = False
    locked: bool = False


class GuestProcess(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A process. One that was started from outside ends at ``finishes`` with ``exit_code``, whoever looks then.

    ``essential``: the guest does not let go of it.
    """

    pid: int
    name: str
    owner: str
    command: str
    started: datetime
    finishes: datetime | None = None
    exit_code: int | None = None
    essential: bool = False


class GuestSystem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A guest's files by key (see ``simulator.guest.paths``), and the processes that were started in it by number.

    ``ended`` are those of its own processes that were ended. ``forked_from`` is the instance UUID of the VM whose own
    processes these are, where this one runs on from where that was.

    ``id`` is the VM's, or the snapshot's that keeps the guest as it was; ``machine`` is the VM's in both. ``boot``
    counts the starts: what belongs to an earlier one is void.
    """

    kind: ClassVar[str] = "guest_system"

    id: str
    machine: str
    nodes: dict[str, GuestNode]
    processes: dict[int, GuestProcess] = {}
    ended: tuple[int, ...] = ()
    next_pid: int
    forked_from: str | None = None
    boot: int = 0

    def restarted(self) -> GuestSystem:
        """The guest with the processes that it has by itself."""
        return msgspec.structs.replace(self, processes={}, ended=(), forked_from=None)


class GuestContent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What is in a file of the guest of ``machine``: ``data``, or what the content store has as ``file``."""

    kind: ClassVar[str] = "guest_content"

    id: str
    machine: str
    data: bytes = b""
    file: str | None = None


class GuestTransfer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A file transfer that was agreed upon, until it is done or ``expires``.

    ``attributes`` are set where a file goes into the guest. Good only for the start ``boot`` of the guest and while the
    VM is on ``host``. Of the token only the digest is kept.
    """

    kind: ClassVar[str] = "guest_transfer"

    id: str
    machine: str
    token_digest: str
    path: str
    attributes: Transfers.FileCreationAttributes | None = None
    boot: int
    host: str
    expires: datetime


OF_MACHINE = (
    Reference[Any](
        index="machine", fields=("machine",), to=(VirtualMachine, UnregisteredVm), on_delete=OnDelete.CASCADE
    ),
)

GUEST_SYSTEMS = Table(
    cls=GuestSystem,
    indexes={"machine": lambda system: (system.machine,), "owner": own_id},
    revises=False,
    belongs_to="machine",
    refers_to=(
        *OF_MACHINE,
        Reference(
            index="owner", fields=("id",), to=(VirtualMachine, Snapshot, UnregisteredVm), on_delete=OnDelete.CASCADE
        ),
    ),
)
GUEST_CONTENTS = Table(
    cls=GuestContent,
    indexes={
        "machine": lambda content: (content.machine,),
        "file": lambda content: () if content.file is None else (content.file,),
    },
    revises=False,
    belongs_to="machine",
    refers_to=OF_MACHINE,
)
GUEST_TRANSFERS = Table(
    cls=GuestTransfer,
    indexes={"machine": lambda transfer: (transfer.machine,)},
    revises=False,
    belongs_to="machine",
    refers_to=(Reference(index="machine", fields=("machine",), to=(VirtualMachine,), on_delete=OnDelete.CASCADE),),
)

GUEST_TABLES: tuple[Table[Any], ...] = (GUEST_SYSTEMS, GUEST_CONTENTS, GUEST_TRANSFERS)


def digest_of(data: bytes) -> str:
    """What names a content."""
    return hashlib.sha256(data).hexdigest()


def content_id(machine: str, name: str) -> str:
    """The id of a content of a VM's guest."""
    return f"{machine}/{name}"
