"""Brings the documents of a store to the present form: once, in one transaction, or not at all."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from resphere.replica.errors import UnreadableDocument
from resphere.replica.rows import Rows
from resphere.replica.sealing import Sealing
from resphere.replica.table import T, Table
from resphere.server.forms.record import FormRecord, newer, number_in
from resphere.server.forms.steps import STEPS, Documents, Plain, Step
from resphere.store.base import Conflict, Document, Store, StoreError, Transaction, Write

Key = tuple[str, str]


class Objects:
    """What the documents of a store are objects of: a :class:`~resphere.replica.table.Lookup`."""

    def __init__(self) -> None:
        self.by_class: defaultdict[type[Any], dict[str, Any]] = defaultdict(dict)

    def get(self, cls: type[T], id: str) -> T | None:
        """The object of this class and id."""
        found: T | None = self.by_class[cls].get(id)
        return found


async def bring_to_present_form(
    store: Store,
    tables: Iterable[Table[Any]],
    sealing: Sealing,
    place: str,
    steps: Mapping[int, Step] = STEPS,
) -> bool:
    """See that all documents are of the present form, that of ``tables``: bring those of earlier releases to it by
    ``steps``, and read every one. ``place`` names the store.

    What documents claim is part of their form: claims are made anew. True where secrets were sealed that earlier
    releases had left plain.

    :raises StoreError: they are of a newer form; or one cannot be read, which is named.
    """
    stored = {(document.kind, document.id): document for document in (await store.load()).documents}
    record = stored.pop((FormRecord.kind, FormRecord.only), None)
    present = max(steps)
    number = present if record is None and not stored else number_in(record)
    if number > present:
        raise newer(place, number)
    rows = {table.cls.kind: Rows(table, sealing) for table in tables}
    writes: list[Write] = []
    try:
        if number == present:
            for document in stored.values():
                if document.kind in rows:
                    rows[document.kind].check(document.id, document.body)
        else:
            documents: Documents = {}
            for document in stored.values():
                documents.setdefault(document.kind, {})[document.id] = plain(document, rows)
            for each in range(number + 1, present + 1):
                take(steps[each], documents, place)
            writes = changes(stored, documents, rows, await held_claims(store))
    except UnreadableDocument as error:
        raise StoreError(
            f"{place} cannot be used by this release: {error}. The release that wrote it may still read it, and "
            "resphere inventory export of that release writes its inventory as a file"
        ) from error
    if record is None or number != present:
        revision = record.revision if record is not None else 0
        writes.append(Write(FormRecord.kind, FormRecord.only, msgspec.json.encode(FormRecord(present)), revision))
        try:
            await store.commit(Transaction(tuple(writes)))
        except Conflict as conflict:
            raise StoreError(
                f"{place} was written by others while it was brought to the present form: {conflict}"
            ) from conflict
    return any(write.id in rows[write.kind].unsealed for write in writes if write.kind in rows)


def take(step: Step, documents: Documents, place: str) -> None:
    """Take a step.

    :raises StoreError: the documents are none that it knows.
    """
    try:
        step.change(documents)
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise StoreError(
            f"{place} cannot be used by this release: its documents are of no form that a release has written "
            f"({step.what}: {type(error).__name__}: {error})"
        ) from error


async def held_claims(store: Store) -> Mapping[Key, set[str]]:
    """What each document claims."""
    held: defaultdict[Key, set[str]] = defaultdict(set)
    for claim in await store.claims():
        held[claim.kind, claim.id].add(claim.claim)
    return held


def plain(document: Document, rows: Mapping[str, Rows[Any]]) -> Plain:
    """A document with nothing sealed in it.

    :raises UnreadableDocument: it is none.
    """
    table = rows.get(document.kind)
    body = table.opened(document.id, document.body) if table is not None else document.body
    try:
        return msgspec.json.decode(body, type=Plain)
    except msgspec.MsgspecError as error:
        raise UnreadableDocument(document.kind, document.id, str(error)) from error


def changes(
    stored: Mapping[Key, Document], documents: Documents, rows: Mapping[str, Rows[Any]], held: Mapping[Key, set[str]]
) -> list[Write]:
    """What makes of the ``stored`` documents these, each written as its table writes it now.

    Documents of kinds without a table stay as they are, or go.

    :raises UnreadableDocument: one is no object of its table.
    """
    objects = Objects()
    for kind, table in rows.items():
        for id, document in documents.get(kind, {}).items():
            objects.by_class[table.table.cls][id] = table.decode_opened(id, msgspec.json.encode(document))
    writes: list[Write] = []
    for kind, table in rows.items():
        for id, obj in objects.by_class[table.table.cls].items():
            old = stored.get((kind, id))
            claims = table.table.all_claims(objects, obj)
            same = old is not None and plain(old, rows) == msgspec.json.decode(msgspec.json.encode(obj))
            if not same or set(claims) != held.get((kind, id), set()):
                writes.append(Write(kind, id, table.encode(obj), old.revision if old is not None else 0, claims))
    gone = [old for (kind, id), old in stored.items() if id not in documents.get(kind, {})]
    return [*writes, *(Write(old.kind, old.id, None, old.revision) for old in gone)]
