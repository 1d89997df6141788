"""Where the server keeps what: as the partitions of the appliance are told of."""

from __future__ import annotations

from pathlib import Path

import msgspec

from resphere.appliance.machine import Filesystem, Machine


class Partition(msgspec.Struct, frozen=True):
    """A folder of the server, with what it lies on; ``disk`` counts filesystems from 1, so that folders which share
    one have the same."""

    label: str
    folder: Path
    disk: int
    filesystem: Filesystem
    about: str


class Folders(msgspec.Struct, frozen=True):
    """``data`` has the keys, certificates and files, ``logs`` the logs, ``database`` the store, which is ``None`` where
    that is elsewhere."""

    data: Path
    logs: Path
    database: Path | None

    def partitions(self, machine: Machine) -> tuple[Partition, ...]:
        """All of them, as they are at the moment.

        :raises OSError: one has gone.
        """
        named = (
            ("root", self.data, "certificates, keys and files of the server"),
            ("log", self.logs, "logs"),
            ("db", self.database, "the database"),
        )
        disks: dict[str, int] = {}
        found: list[Partition] = []
        for name, folder, about in named:
            if folder is not None:
                filesystem = machine.filesystem(folder)
                disk = disks.setdefault(filesystem.device, len(disks) + 1)
                found.append(Partition(name, folder, disk, filesystem, about))
        return tuple(found)
