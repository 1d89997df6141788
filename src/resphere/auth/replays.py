"""What is good once: signed requests, and tokens where that is asked for. None is taken twice, by any worker."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime
from typing import ClassVar

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256

from resphere.auth.credentials import BadProof, Shown
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica
from resphere.replica.table import Table


class Once(msgspec.Struct, frozen=True):
    """What may be shown once: the digest of it, and until when somebody would take it."""

    digest: str
    until: datetime


def signed_once(shown: Shown, certificate: x509.Certificate) -> Once:
    """What a key has signed."""
    return Once(hashlib.sha256(certificate.fingerprint(SHA256()) + shown.message).hexdigest(), shown.until)


def token_once(token: str, until: datetime) -> Once:
    """A token, by what is signed of it or names it."""
    return Once(hashlib.sha256(b"token\0" + token.encode("utf-8", "surrogatepass")).hexdigest(), until)


class TakenProof(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What was shown, by its digest; kept as long as it would be taken."""

    kind: ClassVar[str] = "taken_proof"

    id: str
    until: datetime


TAKEN_PROOFS = Table(cls=TakenProof, revises=False)


class Replays:
    """Remembers what has been shown."""

    def __init__(self, replica: Replica, now: Callable[[], datetime]) -> None:
        self._replica = replica
        self._now = now

    async def take(self, once: Once) -> None:
        """Note that it was shown, before anything comes of it.

        :raises BadProof: it was shown before.
        """
        taken = TakenProof(id=once.digest, until=once.until)

        def plan(edit: Edit) -> None:
            if edit.get(TakenProof, once.digest) is not None:
                raise BadProof("the same was shown and taken before")
            edit.put(taken)

        await self._replica.change(plan)

    async def sweep(self) -> int:
        """Forget what nobody would take any more; returns how many."""
        now = self._now()
        over = [each.id for each in self._replica.all(TakenProof).values() if each.until < now]

        def plan(edit: Edit) -> None:
            for identity in over:
                if edit.get(TakenProof, identity) is not None:
                    edit.delete(TakenProof, identity)

        if over:
            await self._replica.change(plan)
        return len(over)
