"""Keys as files that only their owner reads."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from resphere.private_files import Exposed, require_private
from resphere.store.base import StoreError
from resphere.store.files import sync_folder

SUFFIX = ".key"
"""Of the files' names."""


class KeyFiles:
    """A :class:`~resphere.store.base.Keys`: ``<name>.key`` in ``folder``, hexadecimal, mode 0600.

    ``random_bytes`` gives so many.
    """

    def __init__(self, folder: Path, random_bytes: Callable[[int], bytes]) -> None:
        self._folder = folder
        self._random_bytes = random_bytes

    async def get(self, name: str, size_bytes: int) -> bytes:
        path = key_file(self._folder, name)
        try:
            return await asyncio.to_thread(self._get, path, size_bytes)
        except Exposed as error:
            raise StoreError(str(error)) from error
        except OSError as error:
            raise StoreError(f"{path} cannot be read or made: {error}") from error

    async def find(self, name: str, size_bytes: int) -> bytes | None:
        return await self.get(name, size_bytes) if key_file(self._folder, name).exists() else None

    async def replace(self, name: str, by: str) -> None:
        path = key_file(self._folder, name)
        try:
            key_file(self._folder, by).replace(path)
            sync_folder(self._folder)
        except OSError as error:
            raise StoreError(f"{path} cannot be replaced: {error}") from error

    async def forget(self, name: str) -> None:
        path = key_file(self._folder, name)
        try:
            path.unlink(missing_ok=True)
            sync_folder(self._folder)
        except OSError as error:
            raise StoreError(f"{path} cannot be deleted: {error}") from error

    def _get(self, path: Path, size_bytes: int) -> bytes:
        if not path.exists():
            self._make(path, size_bytes)
        require_private(path)
        try:
            key = bytes.fromhex(path.read_text(encoding="ascii"))
        except ValueError:
            key = b""
        if len(key) != size_bytes:
            raise StoreError(f"{path} holds no key: {2 * size_bytes} hexadecimal digits are expected")
        return key

    def _make(self, path: Path, size_bytes: int) -> None:
        """Make the file, whole and durable before anything can be sealed by it; one that is there stays."""
        descriptor, made = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
        unfinished = Path(made)
        try:
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(self._random_bytes(size_bytes).hex() + "\n")
                file.flush()
                os.fsync(file.fileno())
            # Unlike a rename, a link takes nobody's place: of two who begin at once, the first one's key stays.
            with suppress(FileExistsError):
                os.link(unfinished, path)
        finally:
            unfinished.unlink(missing_ok=True)
        sync_folder(path.parent)


def key_file(folder: Path, name: str) -> Path:
    """Where the key of that name is."""
    return folder / f"{name}{SUFFIX}"
