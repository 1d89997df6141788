"""What the inventory must know about one kind of object: its class, its indexes, its unique keys.

The inventory keeps any kind of document in memory and knows none of them itself: a package that owns a kind
(sessions, tasks, accounts) makes its own :class:`Table` and hands it to the replica.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from typing import Any, ClassVar, Generic, Protocol, TypeVar

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
    """Of objects that others refer to by their id."""
    return (obj.id,)


class OnDelete(Enum):
    """What becomes of an object when what it refers to is deleted, and the change does not say."""

    REFUSE = "refuse"
    """Nothing: a change that leaves it so is refused."""
    CASCADE = "cascade"
    """It is deleted too."""
    CLEAR = "clear"
    """It stays, as :attr:`Reference.cleared` makes it."""


PARENT = "parent"
"""The index by whose key an object stands in another. Nothing stands below itself, at any depth."""


class Reference(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """That objects of a table refer to others, like a foreign key.

    The keys of ``index`` say to which: ids of objects of one of the classes ``to``, or names, of which
    ``resolve(among, obj, key)`` gives the object; ``names`` gives the keys by which an object may be referred to then,
    and a key that means none is allowed.

    ``fields`` are what the keys are made of: where an object keeps their values, it refers to what it did before.

    ``through`` names another reference of the table: what this one refers to is reached through that, as a network
    through the host. Who comes to refer to the one relies on the other, and a change of the other makes this one anew.

    ``cleared(obj, id)`` is ``obj`` without what is deleted, where ``on_delete`` is ``CLEAR``.
    """

    index: str
    fields: tuple[str, ...]
    to: tuple[type[Any], ...]
    on_delete: OnDelete = OnDelete.REFUSE
    cleared: Callable[[T, str], T] | None = None
    through: str | None = None
    resolve: Callable[[Lookup, T, str], Stored | None] | None = None
    names: Callable[[Any], Iterable[str]] | None = None


class Table(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """One kind of object.

    ``cls`` is the class its documents decode to; ``indexes`` maps an index's name to the function that gives an
    object's keys in it (any number, repeats allowed). ``claims`` are the unique keys an object holds, such as
    ``name/<parent>/<name>``: two processes can never commit objects with an equal one. ``claims_among`` are those that
    follow from where the object stands among others, such as a name in a datacenter; they may change with the object
    alone. ``revises`` says whether a change of this kind raises the inventory's revision. ``shared`` names fields whose
    values many objects have in common: equal ones are kept in memory once. ``made_of`` names, for indexes that are no
    references, all fields of an object that its keys follow from: where these stay, the index is not looked at.

    ``refers_to`` are the objects of others that one of this kind needs, see :mod:`resphere.replica.references`;
    ``belongs_to`` names the one to what an object is a part of, and goes with; ``known_as`` gives the keys by which
    others refer to one of this kind. ``holds_children`` gives what the claims begin with of all that stands in one of
    this kind: who deletes it asks that nobody holds such a claim, be it for what is only decided yet. ``sealed`` names
    fields that the store gets encrypted: those that hold secrets. ``restores``: a change of one of this kind comes with
    documents that are brought back to their places among the others, see :meth:`resphere.replica.edit.Edit.restores`.
    """

    cls: type[T]
    indexes: Mapping[str, Callable[[T], Iterable[str]]] = {}
    claims: Callable[[T], Iterable[str]] = no_keys
    claims_among: Callable[[Lookup, T], Iterable[str]] = no_claims
    revises: bool = True
    shared: tuple[str, ...] = ()
    made_of: Mapping[str, tuple[str, ...]] = {}
    refers_to: tuple[Reference[T], ...] = ()
    known_as: Callable[[T], Iterable[str]] = own_id
    belongs_to: str | None = None
    holds_children: Callable[[T], Iterable[str]] = no_keys
    sealed: tuple[str, ...] = ()
    restores: bool = False

    def all_claims(self, among: Lookup, obj: T) -> tuple[str, ...]:
        """The claims of ``obj``, as it stands among others."""
        return (*self.claims(obj), *self.claims_among(among, obj))
