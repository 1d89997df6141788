"""How far each chain of the audit log has come: kept beside the key and not with the log, so that lines which are cut
off its end are missed.

A head is a small file that its writer has mapped into memory: to note a line costs a copy of 40 bytes, and whatever
was noted is in the kernel's hands, also after a ``kill -9``. Each line is noted before it is written, and again when it
was; of several that are written at once the last one. Whoever is killed in between leaves the log where it was, or with
some or all of these lines: what it may end with is known.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import struct
from pathlib import Path

import msgspec

from resphere.audit.chain import Place

WORKER_CHAINS, COMMAND_CHAINS = range(1, 1001), range(1001, 1025)
"""The chains that the workers of a server write, and those of commands: none of these is in a worker's way."""
SIZE_BYTES = 4096
_SLOT = struct.Struct("<Q32s")
_SLOT_BYTES = 64
_NUMBER = struct.Struct("<Q")
_WRITTEN_AT = 2 * _SLOT_BYTES
_DELETED_TO_AT = 2 * _SLOT_BYTES + 8
_BOOT = struct.Struct("36s")
_BOOT_AT = 3 * _SLOT_BYTES
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class Noted(msgspec.Struct, frozen=True):
    """What a head says: the two lines noted last, the number of the last one that was written for certain, up to which
    one lines were deleted for their age, and during which run of the computer."""

    last: Place
    before: Place
    written: int
    deleted_to: int
    boot: bytes

    @property
    def begun(self) -> bool:
        """Whether the chain has any line."""
        return self.last.sequence > 0

    @property
    def certain(self) -> Place:
        """The last line that was written for certain."""
        return self.last if self.written == self.last.sequence else self.before

    def ends_with(self, place: Place) -> bool:
        """Whether the log may end with that line."""
        return place in (self.certain, self.last)


class Head:
    """The head of one chain, for the process that writes it; nobody else has it until :meth:`close`."""

    def __init__(self, chain: int, descriptor: int) -> None:
        self.chain = chain
        self._descriptor = descriptor
        if os.fstat(descriptor).st_size < SIZE_BYTES:
            # All of its room now: where a page could not be had later, the process would be killed.
            os.pwrite(descriptor, bytes(SIZE_BYTES), 0)
        self._memory = mmap.mmap(descriptor, SIZE_BYTES)
        self._written_slot = 0
        """Where the line is noted that was written last; the next one is noted in the other slot."""

    def read(self) -> Noted:
        """What it says."""
        return noted_in(self._memory)

    def note(self, place: Place) -> None:
        """Note a line that is about to be written, the last one where several are."""
        _SLOT.pack_into(self._memory, (1 - self._written_slot) * _SLOT_BYTES, place.sequence, place.digest)

    def note_written(self, sequence: int) -> None:
        """Note that the line of that number is written, which was noted last."""
        _NUMBER.pack_into(self._memory, _WRITTEN_AT, sequence)
        self._written_slot = 1 - self._written_slot

    def begin(self, place: Place) -> None:
        """Say that the chain goes on after ``place``, whatever was noted, from now on in this run of the computer."""
        slots = slots_in(self._memory)
        self._written_slot = 0 if place == slots[1] else 1
        self.note(place)
        self.note_written(place.sequence)
        _SLOT.pack_into(self._memory, (1 - self._written_slot) * _SLOT_BYTES, 0, bytes(32))
        _BOOT.pack_into(self._memory, _BOOT_AT, boot_id())

    def note_deleted(self, sequence: int) -> None:
        """Note that the lines up to that one were deleted for their age."""
        _NUMBER.pack_into(self._memory, _DELETED_TO_AT, sequence)

    def sync(self) -> None:
        """Return when what was noted is on the disk."""
        self._memory.flush()

    def close(self) -> None:
        """Let others have it."""
        self._memory.close()
        os.close(self._descriptor)


def boot_id() -> bytes:
    """What names this run of the computer; empty where the system does not say."""
    return _BOOT_ID.read_bytes().strip() if _BOOT_ID.exists() else b""


def head_file(folder: Path, chain: int) -> Path:
    """Where the head of a chain is."""
    return folder / f"{chain}.head"


def chains_in(folder: Path) -> list[int]:
    """The numbers of the chains that have a head in the folder."""
    return sorted(int(path.stem) for path in folder.glob("*.head") if path.stem.isdigit())


def take(folder: Path, chain: int) -> Head | None:
    """The head of that chain; ``None`` where another process has it.

    :raises OSError: it cannot be made or read.
    """
    descriptor = os.open(head_file(folder, chain), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return Head(chain, descriptor)


def take_first(folder: Path, chains: range) -> Head:
    """The head of the first of those chains that no process has.

    :raises OSError: none can be had.
    """
    for chain in chains:
        head = take(folder, chain)
        if head is not None:
            return head
    raise OSError(f"{folder}: {len(chains)} processes write the audit log already")


def look(folder: Path, chain: int) -> Noted | None:
    """What the head of a chain says, whoever has it; ``None`` where there is none.

    :raises OSError: it cannot be read.
    """
    try:
        content = head_file(folder, chain).read_bytes()
    except FileNotFoundError:
        return None
    return noted_in(content) if len(content) >= SIZE_BYTES else None


def is_written(folder: Path, chain: int) -> bool:
    """Whether a process writes the chain now.

    :raises OSError: its head cannot be read.
    """
    try:
        descriptor = os.open(head_file(folder, chain), os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def slots_in(content: bytes | mmap.mmap) -> list[Place]:
    """The lines that are noted in the content of a head, in no order."""
    return [Place(*_SLOT.unpack_from(content, at)) for at in (0, _SLOT_BYTES)]


def noted_in(content: bytes | mmap.mmap) -> Noted:
    """What the content of a head says."""
    before, last = sorted(slots_in(content), key=lambda place: place.sequence)
    (written,) = _NUMBER.unpack_from(content, _WRITTEN_AT)
    (deleted_to,) = _NUMBER.unpack_from(content, _DELETED_TO_AT)
    (boot,) = _BOOT.unpack_from(content, _BOOT_AT)
    return Noted(last, before, written, deleted_to, boot.rstrip(b"\0"))
