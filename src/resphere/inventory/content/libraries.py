"""Content libraries, and who has said that they are used."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

import msgspec

from resphere.contract.generated import ids
from resphere.contract.generated.content import LibraryModel
from resphere.inventory.model import Datastore
from resphere.replica.table import OnDelete, Reference, Table

Type = LibraryModel.LibraryType
FIRST_VERSION = 2
"""What a new library of a vCenter 7.0 has."""
SUBSCRIBER = "vcsp"
"""The one name by which subscribers log in to a library that has a password."""


class Publishing(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """That others may subscribe to a library. Of the password that they need, only a digest is kept; without one they
    need none. ``persist_json``: the metadata are to be files beside the items."""

    published: bool = False
    password_digest: str | None = None
    persist_json: bool = False


class Subscription(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Where a library gets its items from: the library that is published at ``url``, ``of_this_server`` or of another.

    ``automatic``: also without being told to. ``on_demand``: contents only when they are asked for. ``thumbprint`` and
    ``certificate`` (PEM) are what the publisher must show. ``number`` rises when another ``url`` is given.
    """

    url: str
    of_this_server: bool = False
    automatic: bool = False
    on_demand: bool = False
    thumbprint: str | None = None
    certificate: str | None = None
    number: int = 1


class Library(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A library. Its files lie on ``datastore``, or at ``storage_uri`` where there is none; ``lost_datastore`` is one
    that was taken away, as with its host: nothing comes to such a library any more.

    ``version`` rises with every change of what is said of it, and not with changes of its items; ``item_changes``
    counts those while it is published, so that subscribers see that there is something new. ``client_token`` says who
    has made it by which call, so that the call can be repeated. ``maintenance`` is the reason for which its content
    must not be changed; ``guards_items``: who uses the library keeps its items from being deleted too.

    A library with a ``subscription`` gets its items from elsewhere, where it shows ``subscription_password``, if there
    is one. ``synced_version`` is the version of that other library of which it has everything, ``last_synced`` when it
    was found to have it, ``last_tried`` when that was last looked for.
    """

    kind: ClassVar[str] = "content_library"

    id: ids.ContentLibraryId
    type: Type
    name: str
    description: str = ""
    created: datetime
    modified: datetime
    version: int = FIRST_VERSION
    item_changes: int = 0
    datastore: ids.DatastoreId | None = None
    lost_datastore: ids.DatastoreId | None = None
    storage_uri: str | None = None
    publishing: Publishing = Publishing()
    optimize_remote_publishing: bool | None = None
    security_policy: str | None = None
    maintenance: str | None = None
    guards_items: bool = False
    client_token: str | None = None
    subscription: Subscription | None = None
    subscription_password: str | None = None
    synced_version: str | None = None
    last_synced: datetime | None = None
    last_tried: datetime | None = None

    @property
    def folder(self) -> str:
        """The folder of its files on the storage."""
        return f"contentlib-{self.id}"

    @property
    def published_version(self) -> int:
        """What subscribers are told: it rises with every change, be it of the library or of an item."""
        return self.version + self.item_changes


class LeavingLibrary(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What is left of a library that was deleted, as long as it has items: those go some at a time.

    Nobody sees them any more. They take room on ``datastore`` until they are gone.
    """

    kind: ClassVar[str] = "content_leaving_library"

    id: ids.ContentLibraryId
    datastore: ids.DatastoreId | None = None


class LibraryUsage(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """That the resource ``urn`` uses ``library``, which is not to be deleted then."""

    kind: ClassVar[str] = "content_library_usage"

    id: ids.ContentLibraryUsagesId
    library: ids.ContentLibraryId
    urn: str
    added: datetime


def token_keys(document: Library) -> tuple[str, ...]:
    """By which call it was made."""
    return () if document.client_token is None else (document.client_token,)


def _without_datastore(library: Library, id: str) -> Library:
    return msgspec.structs.replace(library, datastore=None, lost_datastore=ids.DatastoreId(id))


LIBRARIES = Table(
    cls=Library,
    indexes={
        "datastore": lambda library: () if library.datastore is None else (library.datastore,),
        "name": lambda library: (library.name.casefold(),),
        "type": lambda library: (library.type,),
        "client_token": token_keys,
    },
    refers_to=(
        Reference(
            index="datastore",
            fields=("datastore",),
            to=(Datastore,),
            on_delete=OnDelete.CLEAR,
            cleared=_without_datastore,
        ),
    ),
    claims=lambda library: tuple(f"content-library-token/{token}" for token in token_keys(library)),
    sealed=("subscription_password",),
)

LEAVING_LIBRARIES = Table(
    cls=LeavingLibrary,
    indexes={"datastore": lambda library: () if library.datastore is None else (library.datastore,)},
    refers_to=(
        Reference(
            index="datastore",
            fields=("datastore",),
            to=(Datastore,),
            on_delete=OnDelete.CLEAR,
            cleared=lambda library, _: msgspec.structs.replace(library, datastore=None),
        ),
    ),
)

LIBRARY_USAGES = Table(
    cls=LibraryUsage,
    indexes={"library": lambda usage: (usage.library,)},
    belongs_to="library",
    refers_to=(Reference(index="library", fields=("library",), to=(Library,), on_delete=OnDelete.CASCADE),),
    claims=lambda usage: (f"content-library-usage/{usage.library}/{usage.urn}",),
)
