"""A folder of this machine, on which the operator has mounted something."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from resphere.recovery.places.errors import of_system
from resphere.recovery.sealed import Sink, Source
from resphere.store.files import sync_folder

PART = ".part"
"""What follows the name of a file that is not whole yet."""


class FolderPlace:
    """Below ``root``; ``where`` is what messages call it."""

    def __init__(self, root: Path, where: str) -> None:
        self._root = root
        self._where = where

    def make_folder(self, path: str) -> None:
        with self._told(path):
            (self._root / path).mkdir(parents=True, exist_ok=True, mode=0o700)

    @contextmanager
    def writing(self, path: str) -> Iterator[Sink]:
        place = self._root / path
        part = place.with_name(place.name + PART)
        with self._told(path):
            descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            try:
                with os.fdopen(descriptor, "wb") as file:
                    yield ToldSink(file, self._where, path)
                    file.flush()
                    os.fsync(file.fileno())
                part.rename(place)
            except BaseException:
                part.unlink(missing_ok=True)
                raise
            sync_folder(place.parent)

    @contextmanager
    def reading(self, path: str) -> Iterator[Source]:
        with self._told(path), (self._root / path).open("rb") as file:
            yield file

    def size_bytes(self, path: str) -> int | None:
        with self._told(path):
            return (self._root / path).stat().st_size

    def names(self, path: str) -> tuple[str, ...]:
        with self._told(path):
            return tuple(sorted(each.name for each in (self._root / path).iterdir()))

    def remove(self, folder: str, files: Iterable[str]) -> None:
        with self._told(folder):
            for name in files:
                (self._root / folder / name).unlink(missing_ok=True)
                (self._root / folder / f"{name}{PART}").unlink(missing_ok=True)
            if (self._root / folder).is_dir():
                (self._root / folder).rmdir()

    @contextmanager
    def _told(self, path: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise of_system(error, self._where, path) from error


class ToldSink:
    """Writes into a file, and tells of failures as places do."""

    def __init__(self, file: BinaryIO, where: str, path: str) -> None:
        self._file = file
        self._where = where
        self._path = path

    def write(self, piece: bytes) -> None:
        """Take a piece.

        :raises PlaceError: it cannot be.
        """
        try:
            self._file.write(piece)
        except OSError as error:
            raise of_system(error, self._where, self._path) from error
