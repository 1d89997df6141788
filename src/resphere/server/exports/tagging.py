"""Categories, tags and what they are attached to, in an inventory file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from random import Random

import msgspec

from resphere.inventory.tagging import (
    TAGGABLE,
    Attachment,
    Category,
    Tag,
    attached_to_existing,
    attachment_id,
    is_associable,
    plain_type,
    type_of,
)
from resphere.server.exports.sections import Documents, Fields, Place, Section, by_number, fields_of, plain
from resphere.services.checks.tagging import D, check_name, identity_of, require_identity
from resphere.uuids import new_uuid


def _with_plain_types(category: Category) -> Category:
    types = tuple(sorted(set(map(plain_type, category.associable_types))))
    return msgspec.structs.replace(category, associable_types=types)


def _categories(documents: Documents) -> Iterator[Fields]:
    yield from (plain(_with_plain_types(each)) for each in documents.of(Category))


def _category(place: Place) -> Iterable[Category]:
    name = _name(place)
    id = _identity(place, Category, name)
    made = place.made(Category, {**place.given, "id": id})
    if made is None or not all(type.strip() for type in made.associable_types):
        place.fault("associable_types", "a type must not be blank")
    elif name and id:
        yield _with_plain_types(made)


def _tags(documents: Documents) -> Iterator[Fields]:
    yield from (plain(each) for each in documents.of(Tag))


def _tag(place: Place) -> Iterable[Tag]:
    name, category = _name(place), place.category("category")
    id = _identity(place, Tag, category or "", name)
    if name and category and id:
        made = place.made(Tag, {**place.given, "id": id, "category": category})
        yield from () if made is None else (made,)


def _name(place: Place) -> str:
    """The name that is given, empty where it cannot be one."""
    name = place.text("name")
    return name if name is not None and place.accepts("name", partial(check_name, name)) else ""


def _identity(place: Place, cls: type[D], *names: str) -> str:
    """The id that is given, empty where it cannot be one; without one an id that follows from the names, so that a file
    always gives the same."""
    if "id" not in place.given:
        return identity_of(cls, new_uuid(Random("/".join(names)).randbytes))
    id = place.text("id")
    return id if id is not None and place.accepts("id", partial(require_identity, cls, id)) else ""


def _attachments(documents: Documents) -> Iterator[Fields]:
    found = attached_to_existing(documents, documents.of(Attachment))
    for each in sorted(found, key=lambda each: (each.tag, by_number(each.object))):
        yield {"tag": each.tag, "object": each.object}


def _attachment(place: Place) -> Iterable[Attachment]:
    tag_id, object_id = place.tag("tag", place.given.get("tag")), place.managed("object", *TAGGABLE)
    tag = place.documents.get(Tag, tag_id or "")
    target = place.reading.objects.get(object_id or "")
    category = place.documents.get(Category, tag.category) if tag is not None else None
    if tag is None or category is None or target is None:
        return
    type = type_of(target)
    if not is_associable(category, type):
        types = ", ".join(category.associable_types)
        place.fault("tag", f"the category {category.name} is for {types}, and {target.id} is a {type}")
        return
    yield Attachment(
        id=attachment_id(tag.id, target.id),
        tag=tag.id,
        category=category.id,
        type=type,
        object=target.id,
        exclusive=category.is_single,
    )


CATEGORIES = Section(
    name="tag_categories",
    classes=(Category,),
    fields=fields_of(Category),
    write=_categories,
    read=_category,
    taken=("name", "{0} has this name or id already"),
)
TAGS = Section(
    name="tags",
    classes=(Tag,),
    fields=fields_of(Tag),
    write=_tags,
    read=_tag,
    taken=("name", "{0} has this name in the category, or this id, already"),
)
ATTACHMENTS = Section(
    name="tag_attachments",
    classes=(Attachment,),
    fields=("tag", "object"),
    write=_attachments,
    read=_attachment,
    taken=("tag", "{0} attaches it, or another tag of a category that allows one, to the object already"),
)
