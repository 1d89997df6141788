"""The items of content libraries, with their files."""

from __future__ import annotations

from datetime import datetime
from pathlib import PurePosixPath
from typing import ClassVar

import msgspec

from resphere.contract.generated import ids
from resphere.contract.generated.content_library_item import CertVerificationStatus, File
from resphere.contract.model import LocalizableMessage
from resphere.inventory.content.libraries import LeavingLibrary, Library
from resphere.inventory.content.packages import is_package
from resphere.inventory.contents import CONTENT, DIGEST, ContentPart
from resphere.inventory.model import VirtualMachine
from resphere.replica.table import Lookup, OnDelete, Reference, Table

ALGORITHMS = {
    File.ChecksumAlgorithm.MD5: "md5",
    File.ChecksumAlgorithm.SHA1: "sha1",
    File.ChecksumAlgorithm.SHA256: "sha256",
    File.ChecksumAlgorithm.SHA512: "sha512",
}
"""Each algorithm by the name that it has in ``hashlib``."""


class LibraryFile(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A file: its bytes are the content of the name ``content`` beside the store, which several files may share.

    ``stored_name`` is what it is called on the storage. ``digests`` are in hexadecimal digits, of SHA-256 and whatever
    its sender or a manifest has named. ``version`` counts the contents that the file has had. ``references`` are the
    files that a package's descriptor names.
    """

    name: str
    size_bytes: int
    content: str
    stored_name: str
    digests: dict[File.ChecksumAlgorithm, str]
    version: int = 1
    references: tuple[str, ...] = ()

    @property
    def sha256(self) -> str:
        """What tells its bytes from all others."""
        return self.digests[File.ChecksumAlgorithm.SHA256]

    @property
    def part(self) -> ContentPart:
        """Its bytes, as a disk has them."""
        return ContentPart(content=self.content, size_bytes=self.size_bytes, sha256=self.sha256)


class RemoteFile(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A file as the publisher of a library tells of it. ``href`` leads to it from the library's own address; ``etag``
    and ``generation`` are others for each content, where they are told."""

    name: str
    size_bytes: int
    href: str
    etag: str = ""
    generation: str = ""


class RemoteItem(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What the publisher has told of an item last: its ``version`` and its ``files``, by the subscription of that
    ``number``."""

    version: str
    files: tuple[RemoteFile, ...]
    number: int


class TemplateVersion(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The template ``vm``, which was the content of an item in its content version ``version``."""

    vm: ids.VirtualMachineId
    version: int


class LibraryItem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """An item of ``library``. ``type`` is free text; ``ovf``, ``iso`` and ``vm-template`` mean something.

    ``template`` is the machine that is its content, in place of files, and goes with it; ``previous`` the one that was
    before. ``content_version`` counts its lists of files, ``version`` and ``metadata_version`` what was said of it.
    ``verification`` is what is known of who has made a package, ``certificates`` in PEM who has signed it.

    An item of a subscribed library has a ``remote``, and is the item ``source`` there; of its ``files`` there may be
    fewer here, and all that are here are as ``remote`` has them. ``not_fetched`` is why the others did not come when
    they were asked for last.
    """

    kind: ClassVar[str] = "content_library_item"

    id: ids.ContentLibraryItemId
    library: ids.ContentLibraryId
    name: str
    description: str = ""
    type: str = ""
    created: datetime
    modified: datetime
    content_version: int = 1
    metadata_version: int = 1
    version: int = 1
    files: tuple[LibraryFile, ...] = ()
    verification: CertVerificationStatus = CertVerificationStatus.NOT_AVAILABLE
    certificates: tuple[str, ...] = ()
    template: ids.VirtualMachineId | None = None
    previous: TemplateVersion | None = None
    source: ids.ContentLibraryItemId | None = None
    remote: RemoteItem | None = None
    last_synced: datetime | None = None
    not_fetched: LocalizableMessage | None = None
    client_token: str | None = None

    @property
    def size_bytes(self) -> int:
        """What its files have."""
        return sum(file.size_bytes for file in self.files)

    @property
    def is_package(self) -> bool:
        """Whether its files are an OVF package."""
        return is_package(self.type)

    @property
    def is_cached(self) -> bool:
        """Whether all of its files are here."""
        return not self.absent

    @property
    def absent(self) -> dict[str, int]:
        """The files that are not here, with their sizes in bytes."""
        if self.remote is None:
            return {}
        here = {file.name for file in self.files}
        return {file.name: file.size_bytes for file in self.remote.files if file.name not in here}

    def file(self, name: str) -> LibraryFile | None:
        """The file of that name."""
        return next((file for file in self.files if file.name == name), None)


def is_leaving(among: Lookup, item: LibraryItem) -> bool:
    """Whether the item's library was deleted: the item is about to follow, and is there for nobody."""
    return among.get(Library, item.library) is None


def stored_name(name: str, uuid: str) -> str:
    """What a file is called on the storage, as vCenter calls it: ``disk.vmdk`` becomes ``disk_<UUID>.vmdk``."""
    path = PurePosixPath(name)
    return f"{path.stem}_{uuid}{path.suffix}"


def name_key(library: str, name: str) -> str:
    """The key of an item's name, of which a library has one at most."""
    return f"{library}/{name}"


def name_claim(library: str, name: str) -> str:
    """What the item of that name holds, be it one that is only decided yet."""
    return f"content-library-item/{name_key(library, name)}"


def token_keys(item: LibraryItem) -> tuple[str, ...]:
    """By which call it was made."""
    return () if item.client_token is None else (item.client_token,)


def _without_previous(item: LibraryItem, _id: str) -> LibraryItem:
    return msgspec.structs.replace(item, previous=None)


LIBRARY_ITEMS = Table(
    cls=LibraryItem,
    indexes={
        "library": lambda item: (item.library,),
        "name": lambda item: (item.name.casefold(),),
        "library_name": lambda item: (name_key(item.library, item.name),),
        "type": lambda item: (item.type.casefold(),),
        "source": lambda item: () if item.source is None else (item.source,),
        "template": lambda item: () if item.template is None else (item.template,),
        "previous": lambda item: () if item.previous is None else (item.previous.vm,),
        "client_token": token_keys,
        CONTENT: lambda item: tuple(file.content for file in item.files),
        DIGEST: lambda item: tuple([file.sha256 for file in item.files]),
    },
    belongs_to="library",
    refers_to=(
        Reference(index="library", fields=("library",), to=(Library, LeavingLibrary), on_delete=OnDelete.CASCADE),
        Reference(index="template", fields=("template",), to=(VirtualMachine,), on_delete=OnDelete.CASCADE),
        Reference(
            index="previous",
            fields=("previous",),
            to=(VirtualMachine,),
            on_delete=OnDelete.CLEAR,
            cleared=_without_previous,
        ),
    ),
    claims=lambda item: (
        name_claim(item.library, item.name),
        *(f"content-library-item-token/{token}" for token in token_keys(item)),
    ),
)
