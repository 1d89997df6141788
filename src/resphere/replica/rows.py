"""The objects of one table in memory, and the indexes over them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Generic

import msgspec

from resphere.replica.errors import UnreadableDocument
from resphere.replica.sealing import Sealing
from resphere.replica.sharing import Sharing
from resphere.replica.table import T, Table
from resphere.store.base import StoreError

NOTHING: Mapping[str, Any] = MappingProxyType({})


class Index(Generic[T]):
    """The objects under each key.

    A key with one object holds it bare: most names have one, and a dict takes 232 bytes.
    """

    __slots__ = ("_buckets", "_keys")

    def __init__(self, keys: Callable[[T], Iterable[str]]) -> None:
        self._keys = keys
        self._buckets: dict[str, T | dict[str, T]] = {}

    def find(self, key: str) -> Mapping[str, T]:
        """The objects under ``key`` by id, as a view that follows changes of a key with several objects."""
        bucket = self._buckets.get(key)
        if bucket is None:
            return NOTHING
        return MappingProxyType(bucket if isinstance(bucket, dict) else {bucket.id: bucket})

    def replace(self, old: T | None, new: T | None) -> None:
        """Take ``new`` for ``old``; an object that keeps a key keeps its place under it."""
        before = () if old is None else tuple(self._keys(old))
        after = () if new is None else tuple(self._keys(new))
        if old is not None and before != after:
            for key in before:
                if key not in after:
                    self._remove(key, old.id)
        if new is None:
            return
        buckets, id = self._buckets, new.id
        for key in after:
            bucket = buckets.get(key)
            if isinstance(bucket, dict):
                bucket[id] = new
            elif bucket is None or bucket.id == id:
                buckets[key] = new
            else:
                buckets[key] = {bucket.id: bucket, id: new}

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
        self.indexes = {name: Index(keys) for name, keys in table.indexes.items()}
        self._sharing = Sharing(table.shared)
        self._encoder = msgspec.json.Encoder()
        self._decoder = msgspec.json.Decoder(table.cls)

    def load(self, loaded: Iterable[tuple[str, int, T]]) -> None:
        """Fill the empty table with ids, revisions and objects, in the numeric order of the ids."""
        for id, revision, obj in sorted(loaded, key=lambda each: numeric_order(each[0])):
            self.set(id, revision, obj)

    def encode(self, obj: T) -> bytes:
        """The document of an object."""
        return self._encoder.encode(self._seal(obj) if self.table.sealed else obj)

    def decode(self, id: str, body: bytes) -> T:
        """The object of a document.

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
        self._sharing.share(obj)
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
        return msgspec.structs.replace(obj, **texts)

    def _open(self, id: str, body: bytes) -> bytes:
        fields = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
        self.unsealed.discard(id)
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
        for index in self.indexes.values():
            index.replace(old, obj)
        return old


def numeric_order(id: str) -> tuple[int, str, str]:
    """A sorting key that puts ``vm-99`` before ``vm-1049``, and ids that end in no digits first."""
    stem = id.rstrip("0123456789")
    digits = id[len(stem) :]
    return len(digits), digits, stem
