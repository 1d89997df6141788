"""Authentication by a signed message to the STS: of solution users, programs whose certificates are registered."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime
from typing import ClassVar

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256

from resphere.access.principal import Principal, canonical_name
from resphere.auth.accounts import LocalAccounts
from resphere.auth.authentication import Identity
from resphere.auth.credentials import BadProof, Credentials, SignedMessage
from resphere.auth.replays import Replays, signed_once
from resphere.auth.saml.by_saml import token_refused

log = logging.getLogger(__name__)

ACT_AS_USERS = "ActAsUsers"
"""The group of those who may act for others, as vCenter has it."""


class SolutionUser(msgspec.Struct, frozen=True):
    """A local account, the certificate by whose key it asks, and whether it may ask for tokens of other users."""

    user: str
    certificate: x509.Certificate
    act_as: bool = False


class BySolutionCertificate:
    """Takes a message that is signed by the key of a registered certificate."""

    name: ClassVar[str] = "solution"

    def __init__(self, users: Iterable[SolutionUser], accounts: LocalAccounts, replays: Replays) -> None:
        self._users = {each.certificate.fingerprint(SHA256()): each for each in users}
        self._accounts = accounts
        self._replays = replays

    async def identify(self, credentials: Credentials, moment: datetime) -> Identity | None:
        """The account for which the certificate is registered."""
        if credentials.signed is None:
            return None
        try:
            principal = await self._principal(credentials.signed, moment)
        except BadProof as error:
            log.warning("a signed message was refused: %s", str(error))
            raise token_refused() from error
        return Identity(principal, self.name)

    async def _principal(self, signed: SignedMessage, moment: datetime) -> Principal:
        certificate = signed.certificate
        user = self._users.get(certificate.fingerprint(SHA256()))
        if user is None:
            raise BadProof(f"the certificate {certificate.serial_number:x} is not registered")
        shown = await signed.proof.verify(certificate, moment)
        principal = self._accounts.principal(canonical_name(user.user))
        if principal is None:
            raise BadProof(f"the solution user {user.user!r} has no account")
        await self._replays.take(signed_once(shown, certificate))
        if not user.act_as:
            return principal
        _, _, domain = principal.name.rpartition("@")
        group = f"{ACT_AS_USERS}@{domain}"
        return msgspec.structs.replace(principal, groups=principal.groups | {group})
