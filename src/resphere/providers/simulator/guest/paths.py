"""Paths inside a guest, as POSIX systems and Windows write them.

A path is worked on as its parts, ``("etc", "hostname")`` or ``("C:", "Windows")``. A key is what names a file whatever
way its path was written: the parts with ``/`` between, on Windows in lower case, for there ``C:\\A`` and ``c:\\a`` are
one file.
"""

from __future__ import annotations

import re

import msgspec

from resphere.contract.errors import InvalidArgument, message
from resphere.providers.simulator.guest.faults import path_too_long

Parts = tuple[str, ...]

LONGEST_POSIX_BYTES = 4095
LONGEST_WINDOWS_CHARACTERS = 259
LONGEST_NAME = 255

_DRIVE = re.compile(r"[A-Za-z]:\Z")
_NOT_ON_WINDOWS = re.compile(r'[<>"|?*\x00-\x1f]')


class PathStyle(msgspec.Struct, frozen=True):
    """How a guest's system writes paths."""

    windows: bool

    @property
    def separator(self) -> str:
        """What stands between the parts."""
        return "\\" if self.windows else "/"

    def parse(self, path: str, field: str = "path") -> Parts:
        """The parts of an absolute path; ``.`` and empty parts are gone, ``..`` remains.

        :raises InvalidArgument: it is not absolute, too long, or has characters that no name has.
        """
        if self.windows:
            return self._parse_windows(path, field)
        if len(path.encode("utf-8", "surrogatepass")) > LONGEST_POSIX_BYTES:
            raise path_too_long(path)
        if not path.startswith("/"):
            raise wrong_path(field, path, "must be absolute, such as /tmp/file")
        if "\0" in path:
            raise wrong_path(field, path, "must not have a NUL character")
        parts = tuple(part for part in path.split("/") if part not in ("", "."))
        if any(len(part.encode("utf-8", "surrogatepass")) > LONGEST_NAME for part in parts):
            raise path_too_long(path)
        return parts

    def _parse_windows(self, path: str, field: str) -> Parts:
        if len(path) > LONGEST_WINDOWS_CHARACTERS:
            raise path_too_long(path)
        parts = tuple(part for part in path.replace("/", "\\").split("\\") if part not in ("", "."))
        if not parts or not _DRIVE.match(parts[0]) or path.startswith(("\\", "/")):
            raise wrong_path(field, path, "must be absolute, such as C:\\Temp\\file")
        if any(_NOT_ON_WINDOWS.search(part) or ":" in part for part in parts[1:]):
            raise wrong_path(field, path, 'must not have any of the characters < > : " | ? *')
        if any(len(part) > LONGEST_NAME for part in parts):
            raise path_too_long(path)
        return (parts[0].upper(), *parts[1:])

    def is_absolute(self, path: str) -> bool:
        """Whether a path begins at a root."""
        return bool(_DRIVE.match(path[:2])) if self.windows else path.startswith("/")

    def key(self, parts: Parts) -> str:
        """What names the file."""
        joined = "/".join(parts)
        return joined.lower() if self.windows else joined

    def write(self, parts: Parts) -> str:
        """The path as the system writes it."""
        if not self.windows:
            return "/" + "/".join(parts)
        return parts[0] + "\\" + "\\".join(parts[1:]) if parts else ""

    def name(self, text: str, field: str) -> str:
        """``text``, which is to be part of a file's name.

        :raises InvalidArgument: it has a character that no name has.
        """
        if "/" in text or "\0" in text or (self.windows and (_NOT_ON_WINDOWS.search(text) or set(text) & {"\\", ":"})):
            raise wrong_path(field, text, "must not have characters that no file name may have")
        return text


POSIX = PathStyle(windows=False)
WINDOWS = PathStyle(windows=True)


def wrong_path(field: str, path: str, why: str) -> InvalidArgument:
    """The refusal of what is no path."""
    return InvalidArgument(message("resphere.vm.guest.path", "{0}: '{1}' {2}.", field, path[:200], why))
