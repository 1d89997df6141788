"""What can go wrong with a change of the inventory, and with what is stored of it."""

from __future__ import annotations

from resphere.store.base import StoreError


class ConcurrentChange(Exception):
    """What a change relies on is altered by others again and again, or was altered for good; nothing was stored.

    ``subject`` names the document (``kind/id``), claim or prefix that was in the way.
    """

    def __init__(self, subject: str) -> None:
        super().__init__(f"{subject} was changed by others meanwhile")
        self.subject = subject

    def __reduce__(self) -> tuple[type[ConcurrentChange], tuple[str]]:
        return ConcurrentChange, (self.subject,)


class BrokenReference(Exception):
    """A plan leaves an object that refers to one that is not there, or that stands below itself; nothing was stored.

    ``referrer`` and ``target`` name documents (``kind/id``; of a target that is unknown only the key), ``reference`` is
    the name of the reference. Plans refuse that themselves, in words for clients: where this is raised, one did not.
    """

    def __init__(self, referrer: str, reference: str, target: str) -> None:
        super().__init__(f"{referrer} would refer by {reference} to {target}")
        self.referrer = referrer
        self.reference = reference
        self.target = target

    def __reduce__(self) -> tuple[type[BrokenReference], tuple[str, str, str]]:
        return BrokenReference, (self.referrer, self.reference, self.target)


class UnreadableDocument(StoreError):
    """A document of the store is not what the table of its kind says: damaged, or of another release's form."""

    def __init__(self, kind: str, id: str, reason: str) -> None:
        super().__init__(f"the document {kind}/{id} cannot be read: {reason}")
        self.kind = kind
        self.id = id
        self.reason = reason

    def __reduce__(self) -> tuple[type[UnreadableDocument], tuple[str, str, str]]:
        return UnreadableDocument, (self.kind, self.id, self.reason)
