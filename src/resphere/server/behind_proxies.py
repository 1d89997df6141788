"""What the settings say of proxies, and of the certificates that clients show to them."""

from __future__ import annotations

from resphere.auth.client_certificates import Kept, Trust, read_authorities, read_revocations, read_users
from resphere.server.proxies import TrustedProxies, networks
from resphere.server.settings import Settings


def trusted_proxies(settings: Settings) -> TrustedProxies:
    """Whose word on clients is taken."""
    form = settings.client_certificate_header if settings.client_ca is not None else None
    return TrustedProxies(networks(settings.trusted_proxies), settings.proxy_headers, form)


def client_trust(settings: Settings) -> Trust | None:
    """Whose clients may log in by certificate, ``None`` where nobody's.

    :raises ValueError: a file cannot be read; names it.
    """
    if settings.client_ca is None:
        return None
    revocations = None if settings.client_crl is None else Kept(settings.client_crl, read_revocations)
    users = None
    if settings.client_certificate_users is not None:
        users = Kept(settings.client_certificate_users, read_users)
    trust = Trust(Kept(settings.client_ca, read_authorities), revocations, settings.client_certificate_user, users)
    for file in (trust.authorities, trust.revocations, trust.users):
        if file is not None:
            file.value()
    return trust
