"""Has a certificate obtained when there is none, and in time before its end; looked at by the supervisor."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import msgspec
from cryptography import x509

from resphere.certificates.files import installed_files, renewed_before_end
from resphere.certificates.issuing import general_name
from resphere.server.acme.order import Order
from resphere.server.settings import ENVIRONMENT_PREFIX

RETRY_SECONDS = 60.0
LONGEST_RETRY_SECONDS = 6 * 3600.0
LOOK_SECONDS = 3600.0


class AcmeRenewal:
    """Places ``order`` when it is due. ``ca`` is a file of whom the authority's own certificate is by, if nobody knows.

    ``report`` gets a sentence where nothing was obtained, which is tried again later and later. ``monotonic`` gives
    rising seconds.
    """

    report: Callable[[str], None] = staticmethod(print)

    def __init__(
        self, order: Order, ca: Path | None, now: Callable[[], datetime], monotonic: Callable[[], float]
    ) -> None:
        self._order = order
        self._ca = ca
        self._now = now
        self._monotonic = monotonic
        self._next_look = monotonic()
        self._failures = 0
        self._running: subprocess.Popen[bytes] | None = None

    def look(self) -> None:
        """Begin where it is due, and note what has ended. To be called now and then."""
        if self._running is not None:
            self._note_end(self._running)
        elif self._monotonic() >= self._next_look:
            self._next_look = self._monotonic() + LOOK_SECONDS
            if self.is_due():
                try:
                    self._begin()
                except OSError as error:
                    self._put_off(str(error))

    def stop(self) -> None:
        """End what is under way."""
        if self._running is not None:
            self._running.kill()
            self._running.wait()
            self._running = None

    def is_due(self) -> bool:
        """Whether there is no certificate of these names that is far from its end."""
        try:
            path = installed_files(Path(self._order.directory)).certificate
            certificate = x509.load_pem_x509_certificate(path.read_bytes())
            covered = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        except (OSError, ValueError, x509.ExtensionNotFound):
            return True
        left = certificate.not_valid_after_utc - self._now()
        return left < renewed_before_end(certificate) or not {*map(general_name, self._order.names)} <= set(covered)

    def _begin(self) -> None:
        environment = {name: text for name, text in os.environ.items() if not name.startswith(ENVIRONMENT_PREFIX)}
        if self._ca is not None:
            environment["REQUESTS_CA_BUNDLE"] = str(self._ca)
        self._running = subprocess.Popen(
            [sys.executable, "-m", "resphere.server.acme"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=environment,
        )
        assert self._running.stdin is not None
        with self._running.stdin as written:
            written.write(msgspec.json.encode(self._order))

    def _note_end(self, running: subprocess.Popen[bytes]) -> None:
        if running.poll() is None:
            return
        self._running = None
        assert running.stderr is not None
        with running.stderr as said:
            lines = said.read().decode("utf-8", "replace").strip().splitlines()
        if running.returncode == 0:
            self._failures = 0
            return
        self._put_off(lines[-1] if lines else f"it ended with status {running.returncode}")

    def _put_off(self, why: str) -> None:
        delay_seconds = min(LONGEST_RETRY_SECONDS, RETRY_SECONDS * 2.0**self._failures)
        self._failures = min(self._failures + 1, 32)
        self._next_look = self._monotonic() + delay_seconds
        self.report(f"no certificate from {self._order.url}: {why}; tried again in {delay_seconds:g} s")
