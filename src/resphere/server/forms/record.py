"""The number of the form that the documents of a store have, and its place in the store.

A form is all that :mod:`tables <resphere.server.wiring>` say of documents: kinds, fields, types, defaults, what is
sealed, what is claimed. Whatever changes of it, the number rises, and a step is added to ``steps.py``.
"""

from __future__ import annotations

from typing import ClassVar, Protocol

import msgspec

from resphere.replica.errors import UnreadableDocument
from resphere.server.forms.steps import STEPS
from resphere.store.base import Document, StoreError

UNNUMBERED = 1
"""That of releases which kept no number."""
FORM = max(STEPS)
"""The present one."""


class FormRecord(msgspec.Struct, frozen=True):
    """The document that says of which form the others are."""

    kind: ClassVar[str] = "form"
    only: ClassVar[str] = "documents"
    number: int


class HasDocuments(Protocol):
    """A store, or a copy of one."""

    async def document(self, kind: str, id: str) -> Document | None:
        """A document of it."""


async def form_in(store: HasDocuments) -> int:
    """The form of the documents in it.

    :raises StoreError: what says so cannot be read.
    """
    return number_in(await store.document(FormRecord.kind, FormRecord.only))


def number_in(document: Document | None) -> int:
    """What the record says; where there is none, the form has no number yet.

    :raises StoreError: it cannot be read.
    """
    if document is None:
        return UNNUMBERED
    try:
        return msgspec.json.decode(document.body, type=FormRecord).number
    except msgspec.MsgspecError as error:
        raise UnreadableDocument(document.kind, document.id, str(error)) from error


async def require_present_form(store: HasDocuments, place: str) -> None:
    """Refuse documents of another form.

    :raises StoreError: says what to do.
    """
    number = await form_in(store)
    if number > FORM:
        raise newer(place, number)
    if number < FORM:
        raise StoreError(f"{place} was written by an earlier release; resphere serve brings it to the present one")


def newer(place: str, number: int) -> StoreError:
    """The refusal of what a later release has written."""
    return StoreError(
        f"{place} was written by a newer release: its documents are of form {number}, this release knows up to {FORM}"
    )
