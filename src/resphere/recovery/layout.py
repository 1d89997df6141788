"""How backups lie at a location: ``vCenter/sn_<system>/M_<version>_<time>_<comment>``, with the letter ``S`` where a
schedule has made it, as vCenter names its folders. A folder is a backup once it has :data:`METADATA`, which is written
last.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

import msgspec

from resphere.recovery.places.base import Place
from resphere.recovery.places.errors import NothingThere, failed, nothing_there
from resphere.recovery.record import Kind
from resphere.recovery.sealed import exactly

ROOT = "vCenter"
SYSTEM = "sn_"
METADATA = "backup-metadata.json"
PLAIN, SEALED = "backup.tar", "backup.tar.sealed"
"""The archive; with a password it is sealed."""
FILES = (METADATA, PLAIN, SEALED)
"""All that may be in the folder of a backup; the first says that it is one, and goes first."""
LETTERS = {Kind.MANUAL: "M", Kind.SCHEDULED: "S", Kind.LOCAL_BACKUP: "L"}
TIME = "%Y%m%d-%H%M%S"
IN_NAMES = re.compile(r"[^A-Za-z0-9.-]+")
LONGEST_COMMENT = 40
LARGEST_METADATA_BYTES = 256 * 1024
FORMAT = 1


class Metadata(msgspec.Struct, frozen=True, kw_only=True):
    """What a backup says of itself: when it was finished, of which system and release, and how its file has to be.

    ``form`` is that of the documents in it, ``engine`` keeps them; ``provider`` has made them.
    """

    format: int = FORMAT
    timestamp: datetime
    parts: tuple[str, ...]
    version: str
    build: str
    system_name: str
    comment: str = ""
    job: str
    made_by: str
    engine: str
    form: int
    provider: str
    encrypted: bool
    file: str
    size_bytes: int
    sha256: str


def plain_name(text: str) -> str:
    """``text`` as a part of a folder's name."""
    return IN_NAMES.sub("-", text).strip("-.")


def system_folder(system_name: str) -> str:
    """The folder of a system's backups."""
    return f"{ROOT}/{SYSTEM}{plain_name(system_name)}"


def archive_name(kind: Kind, version: str, time: datetime, comment: str) -> str:
    """The name of a backup's own folder."""
    return f"{LETTERS[kind]}_{version}_{time.astimezone(UTC):{TIME}}_{plain_name(comment)[:LONGEST_COMMENT]}"


def write_metadata(place: Place, folder: str, metadata: Metadata) -> None:
    """Say that the folder is a backup.

    :raises PlaceError: it cannot be written.
    """
    with place.writing(f"{folder}/{METADATA}" if folder else METADATA) as sink:
        sink.write(msgspec.json.format(msgspec.json.encode(metadata)) + b"\n")


def read_metadata(place: Place, folder: str, where: str) -> Metadata:
    """What the backup in a folder says of itself.

    :raises NothingThere: there is none.
    :raises PlaceError: it cannot be read, or is none.
    """
    try:
        with place.reading(f"{folder}/{METADATA}" if folder else METADATA) as source:
            content = exactly(source, LARGEST_METADATA_BYTES)
        return msgspec.json.decode(content, type=Metadata)
    except NothingThere:
        raise nothing_there(where, f"backup in {folder}" if folder else "backup") from None
    except msgspec.MsgspecError as error:
        raise failed(where, f"{METADATA} is not one that this release has written: {error}") from error


def systems(place: Place) -> tuple[str, ...]:
    """The systems with backups at a place.

    :raises PlaceError: it cannot be read.
    """
    try:
        found = place.names(ROOT)
    except NothingThere:
        place.names("")  # which tells whether there is such a location
        return ()
    return tuple(name.removeprefix(SYSTEM) for name in found if name.startswith(SYSTEM))


def archives(place: Place, system_name: str) -> tuple[str, ...]:
    """The names of a system's backups, and of what was not finished.

    :raises NothingThere: there is no such system.
    :raises PlaceError: it cannot be read.
    """
    letters = tuple(f"{letter}_" for letter in LETTERS.values())
    return tuple(name for name in place.names(system_folder(system_name)) if name.startswith(letters))
