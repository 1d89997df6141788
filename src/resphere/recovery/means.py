"""What the operator says of places, as settings have it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from resphere.recovery.places.errors import BadLocation
from resphere.recovery.places.location import Location, Protocol, read_location


def read_folders(entries: Iterable[str]) -> tuple[tuple[Location, Path], ...]:
    """The folders that stand for NFS exports, written as ``nfs://HOST/EXPORT=/FOLDER``.

    :raises ValueError: one of them is none.
    """
    return tuple(read_folder(entry) for entry in entries)


def read_folder(entry: str) -> tuple[Location, Path]:
    """One of them.

    :raises ValueError: it is none.
    """
    url, equals, folder = entry.partition("=")
    if not equals or not Path(folder).is_absolute():
        raise ValueError(f"{entry!r} must be nfs://HOST/EXPORT=/FOLDER, with an absolute folder")
    try:
        return read_location(url, Protocol.NFS), Path(folder)
    except BadLocation as error:
        raise ValueError(f"{entry!r}: {error}") from None
