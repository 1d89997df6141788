"""Items: what one is, what became of it, and how many of them are packed."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

import msgspec

from resphere.bulk.record import Each
from resphere.contract.extensions.bulk import Bulk
from resphere.contract.model import AnyOperation, ErrorValue, Struct

COMPRESSION = 1


class Item(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """An operation's id and its input, parameters by name."""

    operation: str
    input: dict[str, Any]


class Outcome(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What became of item ``number``. ``result`` is what it was answered, JSON; ``task`` the task that it was or has
    begun."""

    number: int
    state: Bulk.ItemState
    task: str | None = None
    result: Any = None
    result_omitted: bool = False
    error: ErrorValue | None = None
    end_time: datetime | None = None


class Operations(Protocol):
    """The operations that this server has."""

    def find(self, id: str) -> AnyOperation | None:
        """The operation of that id, ``None`` where there is none."""

    def read(self, operation: AnyOperation, input: Mapping[str, Any], where: str) -> Struct:
        """The input as the operation gets it.

        :raises InvalidArgument: names the field; ``where`` is what the input is called.
        """

    def tells_secrets(self, operation: AnyOperation) -> bool:
        """Whether its result has secrets in it."""

    def target(self, operation: AnyOperation, input: Mapping[str, Any]) -> str | None:
        """What the operation is about, where that is no secret."""


_values = msgspec.json.Decoder(list[str])
_items = msgspec.json.Decoder(list[Item])
_outcomes = msgspec.json.Decoder(list[Outcome])
_outcome = msgspec.json.Decoder(Outcome)


def pack(content: Sequence[object]) -> bytes:
    """Items, values or outcomes as few bytes."""
    return zlib.compress(msgspec.json.encode(content), COMPRESSION)


def unpack_items(packed: bytes, each: Each | None) -> list[Item]:
    """The items of a part."""
    if each is None:
        return _items.decode(zlib.decompress(packed))
    values = _values.decode(zlib.decompress(packed))
    return [Item(each.operation, {**each.input, each.parameter: value}) for value in values]


def unpack_outcomes(packed: bytes) -> list[Outcome]:
    """What became of the items of a part, in their order."""
    return _outcomes.decode(zlib.decompress(packed))


def merged(packed: bytes | None, more: Iterable[Outcome]) -> bytes:
    """Outcomes of a part with those that came since."""
    known = {} if packed is None else {each.number: each for each in unpack_outcomes(packed)}
    known.update((each.number, each) for each in more)
    return pack([known[number] for number in sorted(known)])


def write_outcome(outcome: Outcome) -> bytes:
    """One outcome, as a mark has it."""
    return msgspec.json.encode(outcome)


def read_outcome(packed: bytes) -> Outcome:
    """What :func:`write_outcome` was given."""
    return _outcome.decode(packed)
