"""``com.vmware.cis.tagging.category``: the categories of tags."""

from __future__ import annotations

from collections.abc import Iterable

from resphere.contract.errors import AlreadyExists, InvalidArgument, message
from resphere.contract.generated import cis_tagging, ids
from resphere.inventory.tagging import Category, plain_type
from resphere.replica.edit import Edit
from resphere.services.call import Call
from resphere.services.checks import tagging as common
from resphere.services.registry import implements

MOST_TYPES = 1000
"""That a category is for: vSphere has fewer."""


@implements(cis_tagging.Category.list, kept=True)
async def list_categories(call: Call) -> tuple[str, ...]:
    """The ids of all categories."""
    return tuple(call.all(Category))


@implements(cis_tagging.Category.get, kept=True)
async def get(call: Call, category_id: ids.CisTaggingCategoryId) -> cis_tagging.CategoryModel:
    """One category."""
    found = common.require(call, Category, category_id)
    return cis_tagging.CategoryModel(
        id=found.id,
        name=found.name,
        description=found.description,
        cardinality=found.cardinality,
        associable_types=frozenset(found.associable_types),
        used_by=frozenset(found.used_by),
    )


@implements(cis_tagging.Category.create)
async def create(call: Call, create_spec: cis_tagging.Category.CreateSpec) -> ids.CisTaggingCategoryId:
    """Make a category and return its id.

    :raises AlreadyExists: the name, or the given id, is taken.
    :raises InvalidArgument: name, types or given id are of no use.
    """
    common.check_name(create_spec.name)
    category = Category(
        id=ids.CisTaggingCategoryId(common.identity_for(call, Category, create_spec.category_id)),
        name=create_spec.name,
        description=create_spec.description,
        cardinality=create_spec.cardinality,
        associable_types=types(create_spec.associable_types),
    )

    def plan(edit: Edit) -> ids.CisTaggingCategoryId:
        if edit.get(Category, category.id) is not None:
            raise common.already_exists(category.id)
        check_name_is_free(call, category)
        edit.put(category)
        return category.id

    return await call.settle(plan)


@implements(cis_tagging.Category.update)
async def update(
    call: Call, category_id: ids.CisTaggingCategoryId, update_spec: cis_tagging.Category.UpdateSpec
) -> None:
    """Change what is given. Cardinality and types can be widened only, as what is attached must stay right.

    :raises AlreadyExists: another category has the name.
    :raises InvalidArgument: the name is blank, or cardinality or types would be narrowed.
    """
    if update_spec.name is not None:
        common.check_name(update_spec.name)

    def changed(old: Category) -> Category:
        new = Category(
            id=old.id,
            name=old.name if update_spec.name is None else update_spec.name,
            description=old.description if update_spec.description is None else update_spec.description,
            cardinality=update_spec.cardinality or old.cardinality,
            associable_types=(
                old.associable_types if update_spec.associable_types is None else types(update_spec.associable_types)
            ),
            used_by=old.used_by,
            propagating=old.propagating,
        )
        check_widens(old, new)
        check_name_is_free(call, new)
        return new

    await common.change(call, Category, category_id, changed)


@implements(cis_tagging.Category.delete)
async def delete(call: Call, category_id: ids.CisTaggingCategoryId) -> None:
    """Delete the category with its tags, wherever they are attached, and the compute policies that go by them."""
    await call.settle(lambda edit: edit.delete(Category, common.require_now(edit, Category, category_id).id))


@implements(cis_tagging.Category.list_used_categories)
async def list_used_categories(call: Call, used_by_entity: str) -> tuple[str, ...]:
    """The ids of the categories that the user uses."""
    return tuple(call.by(Category, "used_by", used_by_entity))


@implements(cis_tagging.Category.add_to_used_by)
async def add_to_used_by(call: Call, category_id: ids.CisTaggingCategoryId, used_by_entity: str) -> None:
    """Add a user of the category."""
    await common.add_user(call, Category, category_id, used_by_entity)


@implements(cis_tagging.Category.remove_from_used_by)
async def remove_from_used_by(call: Call, category_id: ids.CisTaggingCategoryId, used_by_entity: str) -> None:
    """Remove a user of the category."""
    await common.remove_user(call, Category, category_id, used_by_entity)


@implements(cis_tagging.Category.revoke_propagating_permissions)
async def revoke_propagating_permissions(call: Call, category_id: ids.CisTaggingCategoryId) -> None:
    """Note that permissions from above do not hold for the category."""
    await common.revoke_propagation(call, Category, category_id)


def types(given: Iterable[str]) -> tuple[str, ...]:
    """The associable types, without the namespace ``urn:vim25:`` that some clients give them (as vCenter 8.0 does).

    :raises InvalidArgument: one is blank, or they are too many.
    """
    given = tuple(given)
    if len(given) > MOST_TYPES:
        raise InvalidArgument(
            message("resphere.tagging.too_many_types", "associable_types: must not be more than {0}.", MOST_TYPES)
        )
    plain = set(map(plain_type, given))
    if not all(type.strip() for type in plain):
        raise InvalidArgument(message("resphere.tagging.invalid_type", "associable_types: a type must not be blank."))
    return tuple(sorted(plain))


def check_name_is_free(call: Call, category: Category) -> None:
    """:raises AlreadyExists: another category has its name."""
    if any(other != category.id for other in call.unfiltered.by(Category, "name", category.name)):
        raise AlreadyExists(
            message("resphere.tagging.category.name_taken", "A category named '{0}' exists already.", category.name)
        )


def check_widens(old: Category, new: Category) -> None:
    """:raises InvalidArgument: ``new`` allows less than ``old``. No types at all allow most: any."""
    if new.is_single and not old.is_single:
        raise InvalidArgument(
            message(
                "resphere.tagging.category.cardinality_narrowed",
                "cardinality: cannot be changed from {0} to {1}.",
                old.cardinality,
                new.cardinality,
            )
        )
    before, after = set(map(plain_type, old.associable_types)), set(map(plain_type, new.associable_types))
    if after and (not before or not before <= after):
        raise InvalidArgument(
            message(
                "resphere.tagging.category.types_narrowed",
                "associable_types: can be extended only; the category allows {0}.",
                ", ".join(old.associable_types) or "objects of any type",
            )
        )
