"""What is to be said of who has signed a package, by those whom this server trusts."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from datetime import datetime

from cryptography import x509

from resphere.certificates.chains import read_certificates
from resphere.inventory.content.sessions import UpdateSession
from resphere.inventory.content.settings import TrustedCertificate
from resphere.ovf import certificate
from resphere.ovf.certificate import CertificateWarning
from resphere.replica.replica import Replica
from resphere.rules.content_packages import signature_of


async def warnings_of(inventory: Replica, session: UpdateSession, now: datetime) -> tuple[CertificateWarning, ...]:
    """Those of the package that comes in a session: as of ``now``, with this trust."""
    signature = signature_of(session)
    if signature is None:
        return ()
    texts = tuple([trusted.text for trusted in inventory.all(TrustedCertificate).values()])
    return await asyncio.to_thread(lambda: certificate.warnings_of(signature.chain, trusted_certificates(texts), now))


def trusted_certificates(texts: Collection[str]) -> list[x509.Certificate]:
    """The certificates in PEM that are trusted, each the first of its text."""
    return [read_certificates(text)[0] for text in texts]
