"""Makes archives of what helps to see what is wrong with a server: its logs, settings, versions, and how it is.

No secret gets into one: of the server's settings those are left out that hold one, of what is kept for the appliance
every field whose name says so, and documents are only counted.
"""

from __future__ import annotations

import asyncio
import hashlib
import io
import platform
import re
import tarfile
import tempfile
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime, timedelta
from importlib.metadata import distributions
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from resphere.contract.generated.appliance import SupportBundle
from resphere.inventory.appliance.settings import ApplianceSetting
from resphere.replica.replica import Replica
from resphere.store.base import ContentMissing, Contents, Reading

GOOD_FOR = timedelta(hours=24)
PIECE_BYTES = 1024 * 1024
MOST_LOG_BYTES = 256 * 1024 * 1024
"""Of each log file the end, where it is longer."""
SECRET = re.compile(r"passw|secret|token|credential|(^|_)key|private|pin$", re.IGNORECASE)
"""What the names of fields have that hold one."""
HIDDEN = "(hidden)"
GROUPS: Mapping[str, tuple[str, ...]] = {
    "Configuration": ("appliance-settings", "server-settings", "versions"),
    "Inventory": ("document-counts",),
    "Logs": ("audit", "server"),
    "Machine": ("readings",),
}
"""Groups of components, each of which can be chosen."""
CORES = "core*"

Files = Iterator[tuple[str, bytes | Path]]


class Bundles(msgspec.Struct, frozen=True):
    """Makes archives, and gives them out. ``settings`` are the server's, without any that hold a secret."""

    replica: Replica
    contents: Contents
    data: Path
    logs: Path
    settings: Mapping[str, str]

    async def make(
        self, components: Collection[str], content_type: SupportBundle.ContentType, readings: Mapping[str, str]
    ) -> tuple[str, int, str]:
        """Make an archive with these components, and core files if these are asked for; returns the name of its
        content, its size in bytes, and its SHA-256 (hexadecimal).

        :raises NoRoom: it does not fit.
        :raises OSError: a file cannot be read.
        """
        # What is read of the inventory is read here: other threads may not.
        texts = dict(self._texts(components, readings))
        with tempfile.TemporaryFile() as file:
            await asyncio.to_thread(self._write, file, texts, components, content_type)
            digest = hashlib.sha256()
            async with self.contents.write() as writing:
                while piece := await asyncio.to_thread(file.read, PIECE_BYTES):
                    digest.update(piece)
                    await writing.write(piece)
                await writing.finish()
            return writing.name, writing.size_bytes, digest.hexdigest()

    async def open(self, content: str) -> Reading | None:
        """An archive, to be read; ``None`` where it is there no more."""
        try:
            return await self.contents.open(content)
        except ContentMissing:
            return None

    def cores(self) -> Iterator[tuple[str, int, datetime]]:
        """The core files of the server: name, size in bytes, and when it was written.

        :raises OSError: the folder cannot be read.
        """
        for path in sorted(self.data.glob(CORES)):
            if path.is_file():
                state = path.stat()
                yield path.name, state.st_size, datetime.fromtimestamp(state.st_mtime).astimezone()

    def _texts(self, components: Collection[str], readings: Mapping[str, str]) -> Iterator[tuple[str, bytes]]:
        if "versions" in components:
            yield "configuration/versions.json", written(versions())
        if "server-settings" in components:
            yield "configuration/server-settings.json", written(dict(self.settings))
        if "appliance-settings" in components:
            kept = self.replica.all(ApplianceSetting).items()
            shown = {id: hidden(msgspec.to_builtins(each.value)) for id, each in kept}
            yield "configuration/appliance-settings.json", written(shown)
        if "document-counts" in components:
            yield "inventory/document-counts.json", written(self.replica.counts())
        if "readings" in components:
            yield "machine/readings.json", written(dict(readings))

    def _write(
        self,
        file: BinaryIO,
        texts: Mapping[str, bytes],
        components: Collection[str],
        content_type: SupportBundle.ContentType,
    ) -> None:
        with tarfile.open(fileobj=file, mode="w:gz") as archive:
            for name, content in texts.items():
                add(archive, name, io.BytesIO(content), len(content))
            for name, path in self._files(components, content_type):
                add_file(archive, name, path)
        file.seek(0)

    def _files(
        self, components: Collection[str], content_type: SupportBundle.ContentType
    ) -> Iterator[tuple[str, Path]]:
        if content_type is not SupportBundle.ContentType.CORES:
            for path in sorted(self.logs.glob("*.log")):
                component = "server" if path.name == "resphere.log" else "audit"
                if component in components and path.is_file():
                    yield f"logs/{path.name}", path
        if content_type is not SupportBundle.ContentType.LOGS:
            for name, _, _ in self.cores():
                yield f"cores/{name}", self.data / name


def add(archive: tarfile.TarFile, name: str, content: BinaryIO, size: int, modified: float = 0) -> None:
    """Put a file into an archive, readable by its owner."""
    member = tarfile.TarInfo(name)
    member.size, member.mode, member.mtime = size, 0o600, modified
    archive.addfile(member, content)


def add_file(archive: tarfile.TarFile, name: str, path: Path) -> None:
    """Put a file into an archive that may go on growing: of a long one the end."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return  # rotated or deleted for its age meanwhile
    with file:
        size = path.stat().st_size
        taken = min(size, MOST_LOG_BYTES)
        file.seek(size - taken)
        add(archive, name, file, taken, path.stat().st_mtime)


def written(value: object) -> bytes:
    """As JSON for people."""
    return msgspec.json.format(msgspec.json.encode(value, order="sorted")) + b"\n"


def hidden(value: Any) -> Any:
    """A plain value without what stands in fields that hold secrets."""
    if isinstance(value, dict):
        return {key: HIDDEN if SECRET.search(str(key)) else hidden(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [hidden(each) for each in value]
    return value


def versions() -> dict[str, str]:
    """Of Python, of the system and of every library."""
    libraries = {each.metadata["Name"]: each.version for each in distributions()}
    return {"python": platform.python_version(), "system": platform.platform(), **dict(sorted(libraries.items()))}
