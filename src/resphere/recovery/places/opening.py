"""Opens the place that a location means."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from importlib import import_module
from types import MappingProxyType

from resphere.recovery.places.base import Means, Place
from resphere.recovery.places.errors import bad_location, not_mounted
from resphere.recovery.places.folder import FolderPlace
from resphere.recovery.places.location import Location, Login, Protocol

Opening = Callable[[Location, Login, Means, ExitStack], Place]


def mounted(location: Location, means: Means) -> Place:
    """The folder on which the operator has mounted what the location means.

    :raises NotAllowed: there is none.
    """
    for export, folder in means.folders:
        same = (export.host, export.port) == (location.host, location.port)
        if same and (location.path == export.path or location.path.startswith(f"{export.path}/")):
            return FolderPlace(folder / location.path.removeprefix(export.path).lstrip("/"), location.where)
    raise not_mounted(location.url)


PLACES: Mapping[Protocol, tuple[str, str]] = MappingProxyType(
    {
        Protocol.FTP: ("ftp", "FtpPlace"),
        Protocol.FTPS: ("ftp", "FtpPlace"),
        Protocol.HTTP: ("http", "HttpPlace"),
        Protocol.HTTPS: ("http", "HttpPlace"),
        # What `scp` of OpenSSH speaks today is SFTP.
        Protocol.SCP: ("sftp", "SftpPlace"),
        Protocol.SFTP: ("sftp", "SftpPlace"),
        Protocol.SMB: ("smb", "SmbPlace"),
    }
)
"""The module beside this one, and the class in it: modules are read when they are needed, as their libraries would take
megabytes of each worker."""


@contextmanager
def opened(location: Location, login: Login, means: Means) -> Iterator[Place]:
    """The place, for as long as the block lasts.

    :raises PlaceError: it cannot be used.
    """
    if any(not each.isprintable() for each in (login.user or "", login.password or "")):
        raise bad_location("user and password may have visible characters only")
    with ExitStack() as stack:
        if location.protocol is Protocol.NFS:
            yield mounted(location, means)
        else:
            module, name = PLACES[location.protocol]
            opening: Opening = getattr(import_module(f"{__package__}.{module}"), name)
            yield opening(location, login, means, stack)
