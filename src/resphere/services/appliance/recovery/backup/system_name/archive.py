"""``com.vmware.appliance.recovery.backup.system_name.archive``: the backups of a system at a location."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from resphere.contract.errors import NotFound
from resphere.contract.generated import ids
from resphere.contract.generated.appliance_recovery_backup import LocationSpec
from resphere.contract.generated.appliance_recovery_backup_system_name import Archive
from resphere.recovery.layout import Metadata, archives, read_metadata, system_folder
from resphere.recovery.places.base import Place
from resphere.recovery.places.errors import NothingThere, PlaceError, bad_location, nothing_there
from resphere.services.appliance.recovery.forms import login_of
from resphere.services.call import Call
from resphere.services.registry import implements

Name = ids.ApplianceRecoveryBackupSystemNameId
Id = ids.ApplianceRecoveryBackupSystemNameArchiveId
Looked = TypeVar("Looked")

USUAL_RESULTS = 128
MOST_RESULTS = 1000


@implements(Archive.list)
async def list_archives(
    call: Call, loc_spec: LocationSpec, system_name: Name, filter_spec: Archive.FilterSpec
) -> tuple[Archive.Summary, ...]:
    """The latest that fit the filter, the latest first; what was not finished is none.

    :raises NotFound: there is no such system, or the location cannot be looked at.
    """
    if filter_spec.max_results is not None and filter_spec.max_results < 1:
        return ()
    most = min(filter_spec.max_results or USUAL_RESULTS, MOST_RESULTS)
    found = await looked(call, loc_spec, lambda place, where: fitting(place, where, system_name, filter_spec, most))
    return tuple(
        Archive.Summary(archive=Id(name), timestamp=each.timestamp, version=each.version, comment=each.comment)
        for name, each in found
    )


def fitting(
    place: Place, where: str, system_name: str, spec: Archive.FilterSpec, most: int
) -> list[tuple[str, Metadata]]:
    """The names of backups, and what they say of themselves."""
    found: list[tuple[str, Metadata]] = []
    # The time in the name, behind letter and release.
    for name in sorted(archives(place, system_name), key=lambda name: name.split("_")[2:3], reverse=True):
        if len(found) == most:
            break
        try:
            metadata = read_metadata(place, f"{system_folder(system_name)}/{name}", where)
        except NothingThere:
            continue
        if fits(metadata, spec.start_timestamp, spec.end_timestamp, spec.comment_substring):
            found.append((name, metadata))
    return found


def fits(metadata: Metadata, start: datetime | None, end: datetime | None, comment: str | None) -> bool:
    """Whether a backup is asked for."""
    return (
        (start is None or metadata.timestamp >= start)
        and (end is None or metadata.timestamp <= end)
        and (comment is None or comment in metadata.comment)
    )


@implements(Archive.get)
async def get(call: Call, spec: LocationSpec, system_name: Name, archive: Id) -> Archive.Info:
    """One of them, with the location that it is restored from.

    :raises NotFound: there is none, or the location cannot be looked at.
    """
    folder = f"{system_folder(system_name)}/{archive}"

    def look(place: Place, where: str) -> Metadata:
        if "/" in archive or archive in (".", ".."):
            raise nothing_there(where, "such backup")
        return read_metadata(place, folder, where)

    found = await looked(call, spec, look)
    return Archive.Info(
        timestamp=found.timestamp,
        location=f"{spec.location.rstrip('/')}/{folder}",
        parts=found.parts,
        version=found.version,
        system_name=Name(found.system_name),
        comment=found.comment,
    )


async def looked(call: Call, spec: LocationSpec, do: Callable[[Place, str], Looked]) -> Looked:
    """What is found at a location.

    :raises NotFound: it cannot be looked at.
    """
    try:
        if "@" in spec.location:
            raise bad_location("a user or a password may not stand in it, but in location_user and location_password")
        return await call.environment.recovery.backups.look(spec.location, login_of(spec), do)
    except PlaceError as error:
        raise NotFound(error.message) from error
