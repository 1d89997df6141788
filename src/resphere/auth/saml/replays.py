"""Signed requests that have been taken: none is taken twice, by any worker."""

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


class TakenProof(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What was signed, by its digest, and by which key; kept as long as it would be taken."""

    kind: ClassVar[str] = "taken_proof"

    id: str
    until: datetime


TAKEN_PROOFS = Table(cls=TakenProof, revises=False)


class Replays:
    """Remembers what has been shown."""

    def __init__(self, replica: Replica, now: Callable[[], datetime]) -> None:
        self._replica = replica
        self._now = now

    async def take(self, shown: Shown, certificate: x509.Certificate) -> None:
        """Note that it was shown, before anything comes of it.

        :raises BadProof: it was shown before.
        """
        digest = hashlib.sha256(certificate.fingerprint(SHA256()) + shown.message).hexdigest()
        taken = TakenProof(id=digest, until=shown.until)

        def plan(edit: Edit) -> None:
            if edit.get(TakenProof, digest) is not None:
                raise BadProof("the same signed request was taken before")
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
