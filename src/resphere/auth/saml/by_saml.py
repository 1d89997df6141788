"""Authentication by a SAML token, of a bearer or of the holder of a key."""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime
from typing import ClassVar

from cryptography import x509

from resphere.access.principal import Principal
from resphere.auth.authentication import AUTHENTICATION_FAILED, Identity
from resphere.auth.credentials import BadProof, Credentials, KeyProof, SamlToken
from resphere.auth.replays import Once, Replays, signed_once
from resphere.auth.saml.documents import BadDocument
from resphere.auth.saml.subjects import Subjects
from resphere.auth.saml.verifying import TokenVerifier, Verified, once_of
from resphere.contract.errors import Unauthenticated, message

log = logging.getLogger(__name__)


class BySaml:
    """Takes an assertion of an issuer that is trusted; one that names a key, with a signature by that key."""

    name: ClassVar[str] = "saml"

    def __init__(self, verifier: TokenVerifier, subjects: Subjects, replays: Replays) -> None:
        self._verifier = verifier
        self._subjects = subjects
        self._replays = replays

    async def identify(self, credentials: Credentials, moment: datetime) -> Identity | None:
        """The user whom the token is about."""
        if credentials.saml is None:
            return None
        try:
            principal, once = await self._taken(credentials.saml, moment)
        except (BadDocument, BadProof) as error:
            log.warning("a SAML token was refused: %s", str(error))
            raise token_refused() from error
        return Identity(principal, self.name, once=once)

    async def _taken(self, token: SamlToken, moment: datetime) -> tuple[Principal, Once | None]:
        if token.fault is not None:
            raise BadDocument(token.fault)
        found = await asyncio.to_thread(self._verifier.verify, token.text, moment)
        await self._require_key(found, token.proof, moment)
        return self._subjects.principal(found), once_of(found)

    async def _require_key(self, found: Verified, proof: KeyProof | None, moment: datetime) -> None:
        if found.assertion.certificate is None:
            if proof is not None:
                raise BadProof("the request is signed, by a key of which the token knows nothing")
            return
        if proof is None:
            raise BadProof("the token is for the holder of a key, and the request is not signed")
        certificate = x509.load_der_x509_certificate(found.assertion.certificate)
        shown = await proof.verify(certificate, moment)
        await self._replays.take(signed_once(shown, certificate))


def token_refused() -> Unauthenticated:
    """The refusal of a token, whatever is wrong with it."""
    return Unauthenticated(message(AUTHENTICATION_FAILED, "Unable to authenticate user: the token is not valid."))
