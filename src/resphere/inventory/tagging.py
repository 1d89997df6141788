"""Tag categories, tags, and which object has which tag.

An attachment is a document of its own: attaching many tags to one object at once, by many callers, makes no two of
them wait for each other. Nothing dangles:

- A tag refers to its category, and an attachment to its tag and object: it goes with them, and with whatever of them
  is deleted while it comes (:mod:`resphere.replica.references`).
- Attachments that older versions left behind are hidden (:func:`attached_to_existing`): ids of managed objects never
  come again.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from typing import ClassVar

import msgspec

from resphere.contract.generated import ids, vcenter
from resphere.contract.generated.cis_tagging import CategoryModel
from resphere.inventory.model import (
    Cluster,
    Datacenter,
    Datastore,
    Folder,
    Host,
    ManagedObject,
    Network,
    ResourcePool,
    VirtualMachine,
)
from resphere.replica.table import Lookup, OnDelete, Reading, Reference, Table

SHELVES = 256
"""Documents are spread evenly over so many keys of the index ``shelf``, by which lists are read page by page."""


class Category(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A category: which tags exclude each other, and what they may be attached to.

    ``associable_types`` are sorted; none means any type. Categories of earlier versions may have them with
    ``urn:vim25:``.
    ``propagating`` is false once permissions from above were revoked: recorded for access, which knows only roles on
    the root folder today.
    """

    kind: ClassVar[str] = "tag_category"

    id: ids.CisTaggingCategoryId
    name: str
    description: str = ""
    cardinality: CategoryModel.Cardinality
    associable_types: tuple[str, ...] = ()
    used_by: tuple[str, ...] = ()
    propagating: bool = True

    @property
    def is_single(self) -> bool:
        """Whether an object can have one tag of the category at most."""
        return self.cardinality is CategoryModel.Cardinality.SINGLE


class Tag(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A tag of ``category``. ``propagating`` is as in :class:`Category`."""

    kind: ClassVar[str] = "tag"

    id: ids.CisTaggingTagId
    name: str
    description: str = ""
    category: ids.CisTaggingCategoryId
    used_by: tuple[str, ...] = ()
    propagating: bool = True


class Attachment(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """``tag``, of ``category``, on the managed object ``object`` of the resource type ``type``.

    ``exclusive`` was set if the category's cardinality was ``SINGLE`` then: of a category, an object can have only one
    exclusive attachment. One that outlived the widening of its category gives way to the next.
    """

    kind: ClassVar[str] = "tag_attachment"

    id: str
    tag: ids.CisTaggingTagId
    category: ids.CisTaggingCategoryId
    type: str
    object: str
    exclusive: bool = False


def attachment_id(tag: str, object: str) -> str:
    """The id of the attachment of ``tag`` to ``object``."""
    return f"{object}/{tag}"


def tag_name_key(category: str, name: str) -> str:
    """The key of a tag's name, which is unique within its category."""
    return f"{category}/{name}"


def _exclusive_key(category: str, object: str) -> str:
    return f"{category}/{object}"


def _category_claims(category: Category) -> tuple[str, ...]:
    return (f"tag-category/{category.name}",)


def _tag_claims(tag: Tag) -> tuple[str, ...]:
    return (f"tag/{tag_name_key(tag.category, tag.name)}",)


def _attachment_claims(attachment: Attachment) -> tuple[str, ...]:
    return (f"tag-exclusive/{_exclusive_key(attachment.category, attachment.object)}",) if attachment.exclusive else ()


def _shelf(document: Category | Tag | Attachment) -> tuple[str, ...]:
    return (shelf_of(document.id),)


def shelf_of(id: str) -> str:
    """The key of ``id`` in the index ``shelf``."""
    return str(zlib.crc32(id.encode()) % SHELVES)


TAGGABLE: tuple[type[ManagedObject], ...] = (
    Folder,
    Datacenter,
    Cluster,
    Host,
    ResourcePool,
    Datastore,
    Network,
    VirtualMachine,
)
"""What can have tags."""

CATEGORIES = Table(
    cls=Category,
    indexes={
        "name": lambda category: (category.name,),
        "used_by": lambda category: category.used_by,
        "shelf": _shelf,
    },
    claims=_category_claims,
)

TAGS = Table(
    cls=Tag,
    refers_to=(Reference(index="category", fields=("category",), to=(Category,), on_delete=OnDelete.CASCADE),),
    indexes={
        "category": lambda tag: (tag.category,),
        "name": lambda tag: (tag.name,),
        "category_name": lambda tag: (tag_name_key(tag.category, tag.name),),
        "used_by": lambda tag: tag.used_by,
        "shelf": _shelf,
    },
    claims=_tag_claims,
    shared=("category",),
)

ATTACHMENTS = Table(
    cls=Attachment,
    belongs_to="object",
    refers_to=(
        Reference(index="tag", fields=("tag",), to=(Tag,), on_delete=OnDelete.CASCADE),
        Reference(index="object", fields=("object",), to=TAGGABLE, on_delete=OnDelete.CASCADE),
    ),
    indexes={
        "tag": lambda attachment: (attachment.tag,),
        "object": lambda attachment: (attachment.object,),
        "exclusive": lambda attachment: (
            (_exclusive_key(attachment.category, attachment.object),) if attachment.exclusive else ()
        ),
        "shelf": _shelf,
    },
    claims=_attachment_claims,
    # Attaching is frequent and shows in no kept answer: lists of VMs stay kept.
    revises=False,
    shared=("tag", "category", "type", "object"),
)

TAGGING_TABLES = (CATEGORIES, TAGS, ATTACHMENTS)

_URN = "urn:vim25:"
_NETWORK_TYPES = {
    vcenter.Network.Type.STANDARD_PORTGROUP: "Network",
    vcenter.Network.Type.DISTRIBUTED_PORTGROUP: "DistributedVirtualPortgroup",
    vcenter.Network.Type.OPAQUE_NETWORK: "OpaqueNetwork",
}
_CLASSES: dict[str, type[ManagedObject]] = {
    **{cls.resource_type: cls for cls in TAGGABLE},
    **dict.fromkeys(_NETWORK_TYPES.values(), Network),
}
"""Resource type -> class, of what can be tagged."""


def plain_type(type: str) -> str:
    """``Datastore`` of ``urn:vim25:Datastore``, which mean the same."""
    return type.removeprefix(_URN)


def type_of(obj: ManagedObject) -> str:
    """The resource type of an object; networks have three."""
    return _NETWORK_TYPES[obj.type] if isinstance(obj, Network) else obj.resource_type


def find_object(inventory: Reading, type: str, id: str) -> ManagedObject | None:
    """The object of that id, if there is one and it is of that type.

    A port group may also be named by the type it descends from, ``Network``.
    """
    wanted = plain_type(type)
    cls = _CLASSES.get(wanted)
    found = inventory.get(cls, id) if cls else None
    return found if found is not None and wanted in (type_of(found), found.resource_type) else None


def is_associable(category: Category, type: str) -> bool:
    """Whether tags of ``category`` may be attached to objects of the resource type ``type``."""
    return not category.associable_types or type in map(plain_type, category.associable_types)


def attached_to_existing(inventory: Lookup, attachments: Iterable[Attachment]) -> Iterator[Attachment]:
    """Those of ``attachments`` whose object is still there."""
    return (a for a in attachments if inventory.get(_CLASSES[a.type], a.object) is not None)


def exclusive_attachment(inventory: Reading, category: str, object: str) -> Attachment | None:
    """The attachment that keeps ``object`` from getting another tag of ``category``, while that is ``SINGLE``."""
    return next(iter(inventory.by(Attachment, "exclusive", _exclusive_key(category, object)).values()), None)
