"""How one item is carried out: by whoever has the pipeline."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import msgspec

from resphere.auth.requesters import Requester
from resphere.contract.errors import VapiError
from resphere.contract.model import AnyOperation


class Errand(msgspec.Struct, frozen=True, gc=False):
    """A call in somebody's name. ``request`` is the id, and ``path`` the address, by which it is on record."""

    requester: Requester
    operation: AnyOperation
    input: Mapping[str, Any]
    request: str
    path: str


class Answer(msgspec.Struct, frozen=True, gc=False):
    """What an errand was answered: JSON, empty for void; or the error that it was refused with."""

    body: bytes = b""
    error: VapiError | None = None


class Carrier(Protocol):
    """Takes errands through all the steps that a request goes through."""

    async def carry(self, errand: Errand) -> Answer:
        """The answer. Never raises but for cancelation."""
