"""All issuers that are trusted: this server itself, and those that it was told of."""

from __future__ import annotations

from resphere.auth.saml.signing import OwnSigning, TokenSigning, trusted_certificates
from resphere.auth.saml.trust import Trust, TrustedIssuer


class Issuers:
    """Says what is trusted now. ``address`` is where this server is known, ``https://vcenter.example``."""

    def __init__(self, own: OwnSigning, domain: str, address: str, further: tuple[TrustedIssuer, ...] = ()) -> None:
        self._own = own
        self._domain = domain
        self._address = address
        self._further = further
        self._made: tuple[TokenSigning, Trust] | None = None

    def trust(self) -> Trust:
        """The issuers by name, and what this server is called by those who make tokens for it."""
        document = self._own.document
        if self._made is None or self._made[0] is not document:
            own = TrustedIssuer(
                name=document.issuer, certificates=trusted_certificates(document), domain=self._domain, is_own=True
            )
            issuers = {**{each.name: each for each in self._further}, own.name: own}
            self._made = (document, Trust(issuers, frozenset({document.issuer, self._address})))
        return self._made[1]
