"""What is wrong with a profile: all of it, by its parts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from resphere.contract.errors import (
    AlreadyExists,
    InvalidArgument,
    NotAllowedInCurrentState,
    NotFound,
    ResourceInUse,
    UnableToAllocateResource,
    Unsupported,
    VapiError,
)
from resphere.contract.model import LocalizableMessage

OF_VALUES: tuple[type[VapiError], ...] = (
    AlreadyExists,
    InvalidArgument,
    NotAllowedInCurrentState,
    NotFound,
    ResourceInUse,
    UnableToAllocateResource,
    Unsupported,
)
"""Refusals of what is in a profile: not of who has sent it, and not of the moment."""
MOST = 100
"""So many are told."""


class Faults:
    """Collects them."""

    def __init__(self) -> None:
        self.by_part: dict[str, list[LocalizableMessage]] = {}

    @contextmanager
    def of(self, part: str) -> Iterator[None]:
        """What is refused within is a fault of the part, and no more."""
        try:
            yield
        except OF_VALUES as error:
            self.add(part, error.messages)

    def add(self, part: str, messages: Iterable[LocalizableMessage]) -> None:
        """Note what is wrong with a part."""
        noted = self.by_part.setdefault(part, [])
        noted += [*messages][: max(0, MOST - len(self.messages))]

    @property
    def messages(self) -> tuple[LocalizableMessage, ...]:
        """All of them."""
        return tuple(each for noted in self.by_part.values() for each in noted)

    def refuse(self) -> None:
        """Refuse the profile for them.

        :raises InvalidArgument: there are any.
        """
        if self.by_part:
            raise InvalidArgument(*self.messages)
