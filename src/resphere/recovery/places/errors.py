"""Why a location cannot be used, in words for whoever has named it."""

from __future__ import annotations

import errno
import socket
import ssl

from resphere.contract.errors import message
from resphere.contract.model import LocalizableMessage

SETTING = "--backup-to"
KNOWN_HOSTS_SETTING = "--backup-known-hosts"
FOLDERS_SETTING = "--backup-folder"
LONGEST_REASON = 200


class PlaceError(Exception):
    """A location cannot be used, for the reason that ``message`` says."""

    def __init__(self, why: LocalizableMessage) -> None:
        super().__init__(why.default_message)
        self.message = why


class BadLocation(PlaceError):
    """The location is none that this server could use, whatever its operator allows."""


class NotAllowed(PlaceError):
    """The operator does not allow it."""


class Unreachable(PlaceError):
    """Nobody answers there, or not for long."""


class Untrusted(PlaceError):
    """Who answers does not show the key or the certificate that is good."""


class Denied(PlaceError):
    """User or password are wrong, or may not do it."""


class NothingThere(PlaceError):
    """There is no such file or folder."""


class NoRoom(PlaceError):
    """There is no room for it."""


class Failed(PlaceError):
    """The other side has refused, or has broken off."""


def bad_location(why: str) -> BadLocation:
    """``why``: what is wrong with it."""
    return BadLocation(message("resphere.recovery.location", "The location is not good: {0}.", why))


def not_allowed(where: str) -> NotAllowed:
    """Of a host that no setting names."""
    text = "This server makes no backups at {0}: its operator has to allow that, by the setting {1}."
    return NotAllowed(message("resphere.recovery.not_allowed", text, where, SETTING))


def not_mounted(url: str) -> NotAllowed:
    """Of an NFS export that no setting names."""
    text = (
        "This server speaks no NFS: its operator has to mount {0}, and to name the folder by the setting "
        "{1} {0}=/FOLDER."
    )
    return NotAllowed(message("resphere.recovery.not_mounted", text, url, FOLDERS_SETTING))


def unreachable(where: str, why: str) -> Unreachable:
    """Nobody answers."""
    return Unreachable(message("resphere.recovery.unreachable", "{0} cannot be reached: {1}.", where, why))


def silent(where: str, seconds: float) -> Unreachable:
    """Nothing has come for so long."""
    text = "{0} has not answered for {1} seconds."
    return Unreachable(message("resphere.recovery.silent", text, where, f"{seconds:g}"))


def untrusted(where: str, why: str) -> Untrusted:
    """Who answers is not known to be the one that is meant."""
    return Untrusted(message("resphere.recovery.untrusted", "{0} is not trusted: {1}.", where, why))


def denied(where: str, what: str = "user or password are wrong") -> Denied:
    """It may not be."""
    text = "Access to {0} is denied: {1}."
    return Denied(message("resphere.recovery.denied", text, where, what))


def nothing_there(where: str, path: str) -> NothingThere:
    """There is none of that name."""
    return NothingThere(message("resphere.recovery.nothing_there", "There is no {0} at {1}.", shown(path), where))


def no_room(where: str) -> NoRoom:
    """It is full."""
    return NoRoom(message("resphere.recovery.no_room", "There is no room left at {0}.", where))


def failed(where: str, why: str) -> Failed:
    """What the other side said, or did."""
    return Failed(message("resphere.recovery.failed", "{0} has failed: {1}.", where, plain(why)))


def broken_off(where: str) -> Failed:
    """The connection has ended before its time."""
    return failed(where, "the connection was broken off")


def shown(path: str) -> str:
    """A path as messages name it: the folder itself has none."""
    return path or "such folder"


def plain(text: str) -> str:
    """What another side has said, in one short line of visible characters."""
    line = " ".join("".join(each if each.isprintable() else " " for each in text).split()).rstrip(".")
    return line if len(line) <= LONGEST_REASON else f"{line[:LONGEST_REASON]}..."


def of_system(error: OSError, where: str, path: str = "", seconds: float = 0) -> PlaceError:
    """What an error of the operating system, or of a connection, says."""
    if isinstance(error, TimeoutError):
        return silent(where, seconds)
    if isinstance(error, ssl.SSLCertVerificationError):
        return untrusted(where, plain(error.verify_message))
    if isinstance(error, ssl.SSLError):
        return unreachable(where, f"TLS fails ({plain(error.reason or 'cut off')})")
    if isinstance(error, socket.gaierror):
        return unreachable(where, "there is no such host")
    if isinstance(error, ConnectionRefusedError):
        return unreachable(where, "nobody listens there")
    if isinstance(error, ConnectionError) or error.errno == errno.EPIPE:
        return broken_off(where)
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return nothing_there(where, path)
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return denied(where, f"{shown(path)} may not be read or written")
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return no_room(where)
    return failed(where, error.strerror or type(error).__name__)
