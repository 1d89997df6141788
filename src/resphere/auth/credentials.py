"""What a request shows of its caller."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

import msgspec
from cryptography import x509

from resphere.auth.requesters import Requester


class ShownCertificate(msgspec.Struct, frozen=True, gc=False):
    """A certificate that the caller has shown to a trusted proxy, as that hands it on: the ``header``'s name and
    ``value``; ``chain`` is what stands beside it of certificates between it and its root."""

    header: str
    value: str
    chain: str | None = None


class BadProof(ValueError):
    """A request was not signed by the key that it should be signed by; says why, for the log."""


class Shown(msgspec.Struct, frozen=True):
    """What has proved that the caller holds a key.

    ``message`` is what was signed, and no second request may show the same; nobody takes it after ``until``.
    """

    message: bytes
    until: datetime


class KeyProof(Protocol):
    """A signature over a request, as its dialect has it."""

    async def verify(self, certificate: x509.Certificate, moment: datetime) -> Shown:
        """That the request was signed by the certificate's key, of late.

        :raises BadProof: it was not.
        """


class SamlToken(msgspec.Struct, frozen=True):
    """A SAML assertion as it was sent, XML, and where the request is signed, that signature.

    ``fault`` says, for the log, why there is no such text.
    """

    text: str
    proof: KeyProof | None = None
    fault: str | None = None


class SignedMessage(msgspec.Struct, frozen=True):
    """A certificate that a message brings along, and the signature by its key."""

    certificate: x509.Certificate
    proof: KeyProof


class Credentials(msgspec.Struct, frozen=True):
    """What the caller shows of itself, wherever the dialect carries it; any of it, and several kinds at once.

    ``unaccepted`` names the kind of credentials where it is one that this server does not take. ``client`` is the
    address that a name and password come from.

    The collector looks at it: a proof may read the body, which belongs to the request that these are part of.
    """

    session_id: str | None = None
    user: str | None = None
    password: str | None = None
    bearer: str | None = None
    """The token of ``Authorization: Bearer``, or of a security context that holds one."""
    certificate: ShownCertificate | None = None
    saml: SamlToken | None = None
    """The token of ``Authorization: SIGN``, of a security context, or of a message to the STS."""
    signed: SignedMessage | None = None
    """A message to the STS that shows nothing else."""
    unaccepted: str | None = None
    client: str = ""
    requester: Requester | None = None
    """Who has asked for work that is done later. It comes from this server's own records, never from a request."""

    @property
    def password_alone(self) -> bool:
        """Whether a name with a password is all that can let the caller in, so that who is let in has the password."""
        others = msgspec.structs.replace(self, session_id=None, user=None, password=None, client="")
        return self.user is not None and self.password is not None and others == NO_CREDENTIALS


NO_CREDENTIALS = Credentials()
