"""What workers are started with to speak TLS, looked after while the server runs: certificate and oldest versions."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from resphere.appliance.tls_versions import OldestVersions, handed_on
from resphere.certificates.files import TlsError, TlsFiles, bundle

LOOK_SECONDS = 3600.0
"""How often it is looked whether a certificate of our own is to be renewed."""

Mark = tuple[int, int, int] | None
"""What changes with a file: inode, size in bytes and time of change in nanoseconds; ``None`` where there is none."""


class ServedCertificate:
    """Keeps what is served up to its files.

    ``find`` gives the files to serve, renewed where that is due; ``watched`` are all that they may be made of.
    ``directory`` holds what is made of them. ``versions`` is the file of the oldest versions of TLS.
    ``monotonic`` gives rising seconds. ``report`` gets a sentence where they cannot be used.
    """

    report: Callable[[str], None] = staticmethod(print)
    each_time: Callable[[], None] = staticmethod(lambda: None)
    """What else is to be looked after, whenever it is asked whether something has changed."""

    def __init__(
        self,
        find: Callable[[], TlsFiles],
        watched: tuple[Path, ...],
        directory: Path,
        versions: Path,
        monotonic: Callable[[], float],
    ) -> None:
        self._find = find
        self._watched = (*watched, versions)
        self._versions = versions
        self._directory = directory
        self._monotonic = monotonic
        self._look_due = monotonic() + LOOK_SECONDS
        self.bundle = bundle(find(), directory)
        """The file of key and chain from which workers start."""
        self.oldest = OldestVersions()
        """The oldest versions of TLS that workers speak: as the file says once it was taken."""
        self._taken = self._seen = self._marks()

    def changed(self) -> bool:
        """Whether there are other files than those that are served, and nobody is writing them: they were the same the
        last time that this was asked."""
        self.each_time()
        if self._monotonic() >= self._look_due:
            self._look()
        before, self._seen = self._seen, self._marks()
        return self._seen != self._taken and self._seen == before

    def take(self) -> bool:
        """Serve what there is now; false where that cannot be, and nothing has changed."""
        marks = self._marks()
        try:
            self.bundle = bundle(self._find(), self._directory)
            self.take_versions()
        except TlsError as error:
            # Not again before there is something else.
            self._taken = marks
            self.report(f"the certificate stays as it was: {error}")
            return False
        self._taken = self._seen = self._marks()
        return True

    def take_versions(self) -> None:
        """Have workers speak the versions that the file says now.

        :raises TlsError: it cannot be read.
        """
        seen = mark(self._versions)
        try:
            self.oldest = handed_on(self._versions)
        except (OSError, msgspec.DecodeError) as error:
            raise TlsError(f"{self._versions} cannot be read: {error}") from error
        self._taken = (*self._taken[:-1], seen)

    def _look(self) -> None:
        self._look_due = self._monotonic() + LOOK_SECONDS
        try:
            self._find()
        except TlsError as error:
            self.report(f"the certificate cannot be looked after: {error}")

    def _marks(self) -> tuple[Mark, ...]:
        return tuple(mark(path) for path in self._watched)


def mark(path: Path) -> Mark:
    """What changes with the file."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns
