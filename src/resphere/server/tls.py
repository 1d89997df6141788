"""What the settings say of TLS: which files are served, and what may be done to them."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from resphere.certificates.files import TlsFiles, ensure_certificates, given_certificates, installed_files, own_files
from resphere.certificates.keeper import Certificates
from resphere.server.acme.order import Order
from resphere.server.acme.renewal import AcmeRenewal
from resphere.server.settings import Settings


def directory(settings: Settings) -> Path:
    """Where certificates and their keys are."""
    return settings.data_dir / "tls"


def certificates(settings: Settings) -> TlsFiles:
    """The files to serve TLS with, made or renewed where that is due.

    :raises TlsError: they cannot be used.
    """
    if settings.tls_cert and settings.tls_key:
        return given_certificates(settings.tls_cert, settings.tls_key, directory(settings), utc_now)
    return ensure_certificates(directory(settings), names(settings), utc_now)


def watched(settings: Settings) -> tuple[Path, ...]:
    """The files that :func:`certificates` may give, or make them of."""
    if settings.tls_cert and settings.tls_key:
        return settings.tls_cert, settings.tls_key
    own, installed = own_files(directory(settings)), installed_files(directory(settings))
    return own.certificate, own.key, installed.certificate


def oldest_versions_file(settings: Settings) -> Path:
    """What says which versions of TLS are spoken at the least; see :mod:`resphere.appliance.tls_versions`."""
    return directory(settings) / "oldest.json"


def names(settings: Settings) -> tuple[str, ...]:
    """By what clients reach the server."""
    return settings.host, *settings.tls_names


def acme_renewal(settings: Settings) -> AcmeRenewal | None:
    """What has an ACME authority issue the certificate, ``None`` where nobody asks for that."""
    if settings.acme_directory is None:
        return None
    order = Order(
        directory=str(directory(settings)),
        url=settings.acme_directory,
        email=settings.acme_email,
        names=settings.tls_names,
        http_port=settings.acme_http_port,
    )
    return AcmeRenewal(order, settings.acme_ca, utc_now, time.monotonic)


def keeper(settings: Settings, now: Callable[[], datetime]) -> Certificates:
    """What operations on the certificates work with."""
    given = None
    if settings.tls_cert and settings.tls_key:
        given = TlsFiles(settings.tls_cert, settings.tls_key, None)
    return Certificates(directory(settings), names(settings), now, given=given, has_tls=settings.tls)


def utc_now() -> datetime:
    """The present moment."""
    return datetime.now(UTC)
