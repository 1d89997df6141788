"""What the inventory must know about one kind of object: its class, its indexes, its unique keys.

The inventory keeps any kind of document in memory and knows none of them itself: a package that owns a kind
(sessions, tasks, accounts) makes its own :class:`Table` and hands it to the replica.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import ClassVar, Generic, Protocol, TypeVar

import msgspec


class Stored(Protocol):
    """What the replica keeps: a frozen msgspec ``Struct`` with a document kind and an id."""

    kind: ClassVar[str]

    @property
    def id(self) -> str:
        """Unique within the kind."""


T = TypeVar("T", bound=Stored)


class Lookup(Protocol):
    """Where objects are looked up by id: a replica, or a change in the making, which sees what it writes."""

    def get(self, cls: type[T], id: str) -> T | None:
        """The object of this class and id."""


class Reading(Lookup, Protocol):
    """What may be asked of an inventory: a replica, or what somebody sees of it."""

    def all(self, cls: type[T]) -> Mapping[str, T]:
        """All objects of the class by id."""

    def by(self, cls: type[T], index: str, key: str) -> Mapping[str, T]:
        """The objects, by id, that have ``key`` in ``index``."""


def no_keys(_obj: object, /) -> tuple[str, ...]:
    """Of objects that claim nothing."""
    return ()


def no_claims(_among: Lookup, _obj: object, /) -> tuple[str, ...]:
    """Of objects that claim nothing by where they stand."""
    return ()


def own_id(obj: Stored, /) -> tuple[str, ...]:
    """Of objects that others belong to by their id."""
    return (obj.id,)


def belonging_claims(owner: str) -> str:
    """What the claims of all that belongs to the object ``owner`` begin with."""
    return f"of/{owner}/"


class Table(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """One kind of object.

    ``cls`` is the class its documents decode to; ``indexes`` maps an index's name to the function that gives an
    object's keys in it (any number, repeats allowed). ``claims`` are the unique keys an object holds, such as
    ``name/<parent>/<name>``: two processes can never commit objects with an equal one. ``claims_among`` are those that
    follow from where the object stands among others, such as a name in a datacenter; they may change with the object
    alone. ``revises`` says whether a change of this kind raises the inventory's revision. ``shared`` names fields whose
    values many objects have in common: equal ones are kept in memory once.

    ``owned_as`` gives the ids by which other objects belong to one of this kind; where it gives none, nothing does.
    ``belongs_to`` names the index whose keys are such ids of others: who deletes the owner deletes what belongs to it
    in the same transaction, whatever that is. ``sealed`` names fields that the store gets encrypted: those that hold
    secrets.
    """

    cls: type[T]
    indexes: Mapping[str, Callable[[T], Iterable[str]]] = {}
    claims: Callable[[T], Iterable[str]] = no_keys
    claims_among: Callable[[Lookup, T], Iterable[str]] = no_claims
    revises: bool = True
    shared: tuple[str, ...] = ()
    owned_as: Callable[[T], Iterable[str]] = no_keys
    belongs_to: str | None = None
    sealed: tuple[str, ...] = ()

    def all_claims(self, among: Lookup, obj: T) -> tuple[str, ...]:
        """The claims of ``obj``, and those by which a deletion notices what has come to belong to the deleted."""
        claims = (*self.claims(obj), *self.claims_among(among, obj))
        if self.belongs_to is None:
            return claims
        owners = self.indexes[self.belongs_to](obj)
        return (*claims, *(f"{belonging_claims(owner)}{self.cls.kind}/{obj.id}" for owner in owners))
