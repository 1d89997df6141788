"""The signature of ``Authorization: SIGN``: over a nonce, method, path, host and port, and the digest of the body.

As govmomi's ``sts.Signer.SignRequest`` makes it, which vCenter takes. Header and query are not signed.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512

from resphere.auth.credentials import BadProof, Shown
from resphere.auth.saml.keys import require_signature
from resphere.auth.saml.moments import CLOCK_SKEW

ALGORITHMS = {"RSA-SHA256": SHA256(), "RSA-SHA384": SHA384(), "RSA-SHA512": SHA512()}
"""Of signatures; bodies are digested by SHA-256 alone."""
NONCE = re.compile(r"([0-9]{1,15}):([!-~]{1,64})\Z")
MOST_SIGNED_BYTES = 256 * 1024
"""Of a body that is signed, which has to be read before it is known who calls."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DEFAULT_PORTS = ("80", "443")
"""What clients sign where the address has no port: 80, whatever the scheme (govmomi, of vCenter), or the right one."""


class RequestProof(msgspec.Struct, frozen=True):
    """What the header says, and the request that it goes with. ``host`` is the header of that name.

    ``read_body`` is ``None`` where the body cannot be read beforehand.
    """

    nonce: str
    algorithm: str
    signature: str
    body_hash: str
    method: str
    path: str
    host: str
    read_body: Callable[[int], Awaitable[bytes]] | None

    async def verify(self, certificate: x509.Certificate, moment: datetime) -> Shown:
        """See :class:`~resphere.auth.credentials.KeyProof`."""
        algorithm = ALGORITHMS.get(self.algorithm)
        if algorithm is None:
            raise BadProof(f"the signature algorithm {self.algorithm[:40]!r} is not accepted")
        made = self._made(moment)
        digest = await self._body_digest()
        refusal = None
        for message in self._messages(digest):
            try:
                require_signature(certificate, self.signature, message, algorithm)
                return Shown(message, made + 2 * CLOCK_SKEW)
            except BadProof as error:
                refusal = error
        raise refusal or BadProof("the request has no host")

    def _made(self, moment: datetime) -> datetime:
        matched = NONCE.match(self.nonce)
        if matched is None:
            raise BadProof("the nonce is not milliseconds, a colon and a random text")
        made = EPOCH + timedelta(milliseconds=int(matched[1]))
        if abs(moment - made) > CLOCK_SKEW:
            raise BadProof(f"the nonce is of {made.isoformat()}")
        return made

    async def _body_digest(self) -> bytes:
        if self.read_body is None:
            raise BadProof("what is sent piece by piece cannot be signed")
        body = await self.read_body(MOST_SIGNED_BYTES)
        if len(body) > MOST_SIGNED_BYTES:
            raise BadProof(f"a signed body must not have more than {MOST_SIGNED_BYTES} bytes")
        digest = hashlib.sha256(body).digest()
        if base64.b64encode(digest).decode() != self.body_hash:
            raise BadProof("the digest is not of this body")
        return digest

    def _messages(self, digest: bytes) -> list[bytes]:
        """What may have been signed."""
        host, bracket, rest = self.host.rpartition("]") if self.host.startswith("[") else ("", "", self.host)
        name, _, port = rest.partition(":")
        name = host.removeprefix("[") if bracket else name
        ports = (port,) if port else DEFAULT_PORTS
        return [
            "\n".join((self.nonce, self.method, self.path, name.lower(), each, "")).encode() + digest + b"\n"
            for each in ports
        ]
