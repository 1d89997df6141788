"""Structures as documents in vAPI's own form, for operations whose values hold such texts."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from resphere.contract.model import Struct
from resphere.wire.validation import convert_strictly
from resphere.wire.vapi_values import decoder, encoder

S = TypeVar("S", bound=Struct)


class VapiDocuments:
    """See :class:`resphere.services.call.StructureForm`, which this is."""

    def write(self, value: Struct) -> str:
        """``{"STRUCTURE": {"<canonical name>": {...}}}``."""
        return msgspec.json.encode(encoder(type(value))(value)).decode()

    def read(self, document: Any, expected: type[S]) -> S:
        """The structure that a decoded document holds.

        :raises InvalidArgument: it is not in that form, or not of the type.
        :raises UnexpectedInput: a field is set that the structure has not.
        """
        value: S = convert_strictly(decoder(expected)(document, ""), expected, "")
        return value
