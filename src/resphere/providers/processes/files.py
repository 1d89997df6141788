"""The folder in which machines have their files: who is there, who runs, and what was begun with them.

``UUID.machine`` says what a machine is, and is locked by its process; the kernel tells who holds a lock, so that no
number of a process is kept anywhere. Beside it lie ``UUID.start.WORK``, the ticket of a start, which becomes
``UUID.started`` when the machine runs, and ``UUID.stop.WORK``, a stop that is to be finished.
"""

from __future__ import annotations

import fcntl
import logging
import os
import signal
import struct
import sys
from contextlib import suppress
from pathlib import Path

import msgspec

from resphere.contract.generated.vcenter_vm import GuestOS

log = logging.getLogger(__name__)

LOCK = "qqihh" if sys.platform == "darwin" else "hhqqi4x"
"""The kernel's ``struct flock``: start, length and process, type and whence, in the order of the platform."""


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """What a machine's file says. ``uuid`` is its BIOS UUID and the file's name, ``host`` the id of a host."""

    uuid: str
    name: str
    host: str
    cpu_count: int = 1
    memory_size_MiB: int = 256
    guest_OS: GuestOS = GuestOS.OTHER_64


class Machines:
    """The machines of one folder, as all workers see them."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._folder = folder
        self._unreadable: set[str] = set()

    def all(self) -> dict[str, Machine]:
        """Those that have a readable file, by UUID."""
        found = (self.get(path.stem) for path in sorted(self._folder.glob("*.machine")))
        return {machine.uuid: machine for machine in found if machine is not None}

    def get(self, uuid: str) -> Machine | None:
        """The machine of that UUID; ``None`` where there is no file, or none that can be read."""
        try:
            machine = msgspec.json.decode(self.file(uuid).read_bytes(), type=Machine)
        except FileNotFoundError:
            return None
        except msgspec.MsgspecError as error:
            if uuid not in self._unreadable:
                self._unreadable.add(uuid)
                log.warning("%s is no machine: %s", self.file(uuid), error)
            return None
        return machine if machine.uuid == uuid else None

    def exists(self, uuid: str) -> bool:
        """Whether the machine has a file, readable or not."""
        return self.file(uuid).exists()

    def put(self, machine: Machine) -> None:
        """Write the file, whole at any moment.

        :raises BlockingIOError: the machine runs.
        """
        new, file = self._folder / f"{machine.uuid}.new", self.file(machine.uuid)
        with new.open("wb") as written:
            written.write(msgspec.json.format(msgspec.json.encode(machine)) + b"\n")
            written.flush()
            os.fsync(written.fileno())
        if not file.exists():
            new.replace(file)
            return
        with file.open("r+b") as locked:
            fcntl.lockf(locked, fcntl.LOCK_EX | fcntl.LOCK_NB)
            new.replace(file)

    def remove(self, uuid: str) -> None:
        """Have no file of the machine any more: the machine's own last, so that a removal can be finished."""
        for path in (*self._folder.glob(f"{uuid}.start*"), self._folder / f"{uuid}.new", self.file(uuid)):
            path.unlink(missing_ok=True)

    def process(self, uuid: str) -> int | None:
        """The process that is the machine; ``None`` where it does not run."""
        kind, whence, start, length, nobody = fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0
        darwin = sys.platform == "darwin"
        asked = (start, length, nobody, kind, whence) if darwin else (kind, whence, start, length, nobody)
        try:
            descriptor = os.open(self.file(uuid), os.O_RDONLY)
        except FileNotFoundError:
            return None
        try:
            told = struct.unpack(LOCK, fcntl.fcntl(descriptor, fcntl.F_GETLK, struct.pack(LOCK, *asked)))
        finally:
            os.close(descriptor)
        held, process = (told[3], told[2]) if darwin else (told[0], told[4])
        return None if held == fcntl.F_UNLCK else int(process)

    def kill(self, uuid: str) -> bool:
        """Kill the machine's process; false where it does not run. It may take a moment to die."""
        process = self.process(uuid)
        if process is None:
            return False
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
        return True

    def file(self, uuid: str) -> Path:
        """The machine's file."""
        return self._folder / f"{uuid}.machine"

    def begin_start(self, uuid: str, work: str) -> Path:
        """The ticket of a start, which can be called off until the machine takes it."""
        ticket = self._folder / f"{uuid}.start.{work}"
        ticket.write_text(work)
        return ticket

    def call_off_start(self, uuid: str, work: str) -> None:
        """Have the machine not start for that work any more, unless it has."""
        (self._folder / f"{uuid}.start.{work}").unlink(missing_ok=True)

    def started_by(self, uuid: str) -> str | None:
        """The work by which the machine was started last."""
        try:
            return (self._folder / f"{uuid}.started").read_text()
        except FileNotFoundError:
            return None

    def begin_stop(self, uuid: str, work: str) -> None:
        """Note that the machine is to stop, for whoever has to finish that."""
        (self._folder / f"{uuid}.stop.{work}").touch()

    def is_stopping(self, uuid: str, work: str) -> bool:
        """Whether that work has begun to stop the machine."""
        return (self._folder / f"{uuid}.stop.{work}").exists()

    def end_stop(self, uuid: str, work: str) -> None:
        """Forget that it was to stop."""
        (self._folder / f"{uuid}.stop.{work}").unlink(missing_ok=True)
