"""The objects of one table in memory, and the indexes over them."""

from __future__ import annotations

from collections.abc import Callable, Collection, ItemsView, Iterable, Iterator, KeysView, Mapping, ValuesView
from operator import attrgetter
from types import MappingProxyType
from typing import Any, Generic

import msgspec

from resphere.replica.errors import UnreadableDocument
from resphere.replica.sealing import Sealing
from resphere.replica.sharing import Sharing
from resphere.replica.table import T, Table
from resphere.store.base import StoreError

NOTHING: Mapping[str, Any] = MappingProxyType({})


class Found(Mapping[str, T]):
    """The objects under a key that has several, by id: it follows what changes."""

    __slots__ = ("_ids", "_objects")

    def __init__(self, ids: Mapping[str, None], objects: Mapping[str, T]) -> None:
        self._ids = ids
        self._objects = objects

    def __getitem__(self, id: str) -> T:
        if id not in self._ids:
            raise KeyError(id)
        return self._objects[id]

    def __contains__(self, id: object) -> bool:
        return id in self._ids

    def __iter__(self) -> Iterator[str]:
        return iter(self._ids)

    def __len__(self) -> int:
        return len(self._ids)

    def keys(self) -> KeysView[str]:
        return self._ids.keys()

    def values(self) -> ValuesView[T]:
        return FoundValues(self)

    def items(self) -> ItemsView[str, T]:
        return FoundItems(self)

    def objects(self) -> Iterator[T]:
        """All of them; several times as fast as what a mapping comes with."""
        return map(self._objects.__getitem__, self._ids)


class FoundValues(ValuesView[T]):
    """See :meth:`Found.objects`."""

    __slots__ = ()
    _mapping: Found[T]

    def __iter__(self) -> Iterator[T]:
        return self._mapping.objects()


class FoundItems(ItemsView[str, T]):
    """See :meth:`Found.objects`."""

    __slots__ = ()
    _mapping: Found[T]

    def __iter__(self) -> Iterator[tuple[str, T]]:
        return zip(self._mapping, self._mapping.objects(), strict=True)


class Index(Generic[T]):
    """The ids of the ``objects`` under each key: an object that changes and keeps its keys changes nothing here.

    A key with one object holds its id bare: most names have one, and a dict takes 232 bytes.
    """

    __slots__ = ("_buckets", "_keys", "_objects")

    def __init__(self, keys: Callable[[T], Iterable[str]], objects: Mapping[str, T]) -> None:
        self._keys = keys
        self._objects = objects
        self._buckets: dict[str, str | dict[str, None]] = {}

    def find(self, key: str) -> Mapping[str, T]:
        """The objects under ``key`` by id, as a view that follows changes of a key with several objects."""
        bucket = self._buckets.get(key)
        if bucket is None:
            return NOTHING
        if isinstance(bucket, str):
            return MappingProxyType({bucket: self._objects[bucket]})
        return Found(bucket, self._objects)

    def replace(self, old: T | None, new: T | None) -> None:
        """Take ``new`` for ``old``; an object that keeps a key keeps its place under it."""
        before = () if old is None else tuple(self._keys(old))
        after = () if new is None else tuple(self._keys(new))
        if before == after:
            return
        if old is not None:
            for key in before:
                if key not in after:
                    self._remove(key, old.id)
        if new is None:
            return
        buckets, id = self._buckets, new.id
        for key in after:
            bucket = buckets.get(key)
            if isinstance(bucket, dict):
                bucket[id] = None
            elif bucket is None:
                buckets[key] = id
            elif bucket != id:
                buckets[key] = {bucket: None, id: None}

    def put_in_order(self, changes: Iterable[tuple[T | None, T]]) -> None:
        """Have the objects, which are told as they were before, stand among the others of their keys as they would
        after a load."""
        come: set[str] = set()
        for old, new in changes:
            come.update(self._keys(new) if old is None else set(self._keys(new)).difference(self._keys(old)))
        for key in come:
            bucket = self._buckets[key]
            if isinstance(bucket, dict):
                put_in_order(bucket)

    def contents(self) -> Iterator[tuple[str, Mapping[str, T]]]:
        """Every key with what stands under it."""
        return ((key, self.find(key)) for key in self._buckets)

    def _remove(self, key: str, id: str) -> None:
        bucket = self._buckets.get(key)
        if not isinstance(bucket, dict):
            # None where the object had the key twice.
            self._buckets.pop(key, None)
            return
        bucket.pop(id, None)
        if not bucket:
            del self._buckets[key]


class Rows(Generic[T]):
    """One table's objects by id, their revisions and their indexes."""

    __slots__ = (
        "_decoder",
        "_encoder",
        "_made_of",
        "_sealing",
        "_sharing",
        "indexes",
        "kind",
        "objects",
        "revisions",
        "table",
        "unsealed",
    )

    def __init__(self, table: Table[T], sealing: Sealing | None = None) -> None:
        self.table = table
        self.kind = table.cls.kind
        self.unsealed: set[str] = set()
        """The ids of documents that the store has plain, as earlier releases wrote them, or sealed by another key."""
        self._sealing = sealing
        self.objects: dict[str, T] = {}
        self.revisions: dict[str, int] = {}
        self.indexes = {name: Index(keys, self.objects) for name, keys in table.indexes.items()}
        self._made_of = MadeOf(table)
        self._sharing = Sharing(table.shared)
        self._encoder = msgspec.json.Encoder()
        self._decoder = msgspec.json.Decoder(table.cls)

    def load(self, loaded: Iterable[tuple[str, int, T]]) -> None:
        """Fill the empty table with ids, revisions and objects, in the numeric order of the ids."""
        for id, revision, obj in sorted(loaded, key=lambda each: numeric_order(each[0])):
            self.set(id, revision, obj)

    def put_in_order(self, changes: Collection[tuple[T | None, T]]) -> bool:
        """Have the objects, which are told as they were before, stand where they would after a load; whether that is
        elsewhere in the table."""
        come = any(old is None for old, _ in changes)
        if come:
            put_in_order(self.objects)
        for index in self.indexes.values():
            index.put_in_order(changes)
        return come

    def encode(self, obj: T) -> bytes:
        """The document of an object."""
        return self._encoder.encode(self._seal(obj) if self.table.sealed else obj)

    def decode(self, id: str, body: bytes) -> T:
        """The object of a document; it holds what it has in common with the one that it is to replace.

        :raises UnreadableDocument: the document is not what its kind says.
        :raises StoreError: it cannot be decrypted.
        """
        return self.decode_opened(id, self.opened(id, body))

    def opened(self, id: str, body: bytes) -> bytes:
        """The document with nothing sealed in it.

        :raises UnreadableDocument: it is none.
        :raises StoreError: it cannot be decrypted.
        """
        if not self.table.sealed:
            return body
        try:
            return self._open(id, body)
        except msgspec.MsgspecError as error:
            raise UnreadableDocument(self.kind, id, str(error)) from error

    def decode_opened(self, id: str, body: bytes) -> T:
        """The object of a document with nothing sealed in it.

        :raises UnreadableDocument: the document is not what its kind says.
        """
        obj = self._decode(id, body)
        if self.table.shared:
            before = self.objects.get(id)
            if before is None:
                self._sharing.share(obj)
            else:
                self._sharing.follow(obj, before)
        return obj

    def check(self, id: str, body: bytes) -> None:
        """Refuse a document that :meth:`decode` would, in a third of the time.

        :raises UnreadableDocument: the document is not what its kind says.
        :raises StoreError: it cannot be decrypted.
        """
        self._decode(id, self.opened(id, body))

    def _decode(self, id: str, body: bytes) -> T:
        try:
            obj = self._decoder.decode(body)
        except msgspec.MsgspecError as error:
            raise UnreadableDocument(self.kind, id, str(error)) from error
        if obj.id != id:
            raise UnreadableDocument(self.kind, id, f"it holds the object {obj.id}")
        return obj

    def _seal(self, obj: Any) -> Any:
        """The object with texts in place of what is to be sealed: to be encoded, and for nothing else."""
        if self._sealing is None:
            raise StoreError(f"{self.kind}/{obj.id} cannot be encrypted: there is no key")
        texts = {
            field: self._sealing.seal(self._encoder.encode(value), f"{self.kind}/{obj.id}/{field}")
            for field in self.table.sealed
            if (value := getattr(obj, field)) is not None
        }
        return msgspec.structs.replace(obj, **texts) if texts else obj

    def _open(self, id: str, body: bytes) -> bytes:
        fields = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
        self.unsealed.discard(id)
        if fields.keys().isdisjoint(self.table.sealed):
            return body
        for field in self.table.sealed:
            value = bytes(fields.get(field, b""))
            if value.startswith(b'"'):
                if self._sealing is None:
                    raise StoreError(f"{self.kind}/{id} cannot be decrypted: there is no key")
                text = msgspec.json.decode(value, type=str)
                content, is_present = self._sealing.opened(text, f"{self.kind}/{id}/{field}")
                fields[field] = msgspec.Raw(content)
                if not is_present:
                    self.unsealed.add(id)
            elif value:
                self.unsealed.add(id)
        return self._encoder.encode(fields)

    def set(self, id: str, revision: int, obj: T | None) -> T | None:
        """Take ``obj`` (``None``: nothing) for what stood under ``id``, and return that."""
        old = self.objects.get(id)
        if obj is not None:
            self.objects[obj.id] = obj
            self.revisions[obj.id] = revision
        elif old is not None:
            del self.objects[id], self.revisions[id]
        changed = None if old is None or obj is None else self._made_of.changed(old, obj)
        for name, index in self.indexes.items():
            if changed is None or name in changed:
                index.replace(old, obj)
        return old


class MadeOf:
    """From which fields the keys of each index of a table follow, as far as it says."""

    __slots__ = ("_fields", "_unknown", "_users", "_values")

    def __init__(self, table: Table[Any]) -> None:
        fields = {each.index: each.fields for each in table.refers_to if each.index in table.indexes}
        fields |= table.made_of
        self._unknown = frozenset(table.indexes.keys() - fields.keys())
        users: dict[str, frozenset[str]] = {}
        for index, names in fields.items():
            for name in names:
                users[name] = users.get(name, frozenset()) | {index}
        self._users = tuple(users.values())
        self._values = attrgetter(*users) if len(users) > 1 else None

    def changed(self, old: Any, new: Any) -> frozenset[str] | None:
        """The indexes in which the keys may be others, of an object that is there before and after; ``None``: all."""
        if self._values is None:
            return None
        changed = self._unknown
        # Whoever changes an object takes over what stays, and so does whoever reads it again.
        for then, now, users in zip(self._values(old), self._values(new), self._users, strict=True):
            if then is not now:
                changed |= users
        return changed


def put_in_order(by_id: dict[str, Any]) -> None:
    """Put the entries into the numeric order of their ids."""
    ordered = sorted(by_id.items(), key=lambda each: numeric_order(each[0]))
    by_id.clear()
    by_id.update(ordered)


def numeric_order(id: str) -> tuple[int, str, str]:
    """A sorting key that puts ``vm-99`` before ``vm-1049``, and ids that end in no digits first."""
    stem = id.rstrip("0123456789")
    digits = id[len(stem) :]
    return len(digits), digits, stem
