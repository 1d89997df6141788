"""Deletes tags and categories with all that goes by them.

A compute policy goes with its tag, as vCenter's documentation of compute policies has it. A storage policy stays, and
no datastore satisfies what it asked of the tag any more.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from resphere.inventory.compute_policies import ComputePolicy
from resphere.inventory.storage_policies import StoragePolicy
from resphere.inventory.tagging import Attachment, Category, Tag, tag_name_key
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica
from resphere.rules.users import retire


def delete_tag(edit: Edit, inventory: Replica, tag: Tag) -> None:
    """Delete ``tag``, its attachments, and what goes by it."""
    retire(edit, tag.id)
    _delete_tag_of_category(edit, inventory, tag)
    edit.vacant(f"tag-attached/{tag.category}/{tag.id}/")


def delete_category(edit: Edit, inventory: Replica, category: Category) -> None:
    """Delete ``category`` and its tags as :func:`delete_tag` does."""
    # Policies use the category of their tags too: one question for all of its tags.
    retire(edit, category.id)
    for tag in inventory.by(Tag, "category", category.id).values():
        # One that was made for a policy may have gone with that.
        if edit.get(Tag, tag.id) is not None:
            _delete_tag_of_category(edit, inventory, tag)
    edit.delete(Category, category.id)
    # One question for all tags: each costs the store a look at everything that the change moves.
    edit.vacant(f"tag/{tag_name_key(category.id, '')}")
    edit.vacant(f"tag-attached/{category.id}/")


def delete_compute_policies(
    edit: Edit, inventory: Replica, policies: Iterable[ComputePolicy], *, with_made_tags: bool
) -> None:
    """Delete the policies; ``with_made_tags``: and the tags that were made for them, where no other goes by those."""
    gone = list(policies)
    for policy in gone:
        edit.delete(ComputePolicy, policy.id)
    for id in {policy.vm_tag for policy in gone if policy.made_tag and with_made_tags}:
        tag = edit.get(Tag, id)
        others = (edit.get(ComputePolicy, other) for other in inventory.by(ComputePolicy, "tag", id))
        if tag is not None and not any(others):
            delete_tag(edit, inventory, tag)


def _delete_tag_of_category(edit: Edit, inventory: Replica, tag: Tag) -> None:
    for attachment in inventory.by(Attachment, "tag", tag.id):
        edit.delete(Attachment, attachment)
    edit.delete(Tag, tag.id)
    for id in inventory.by(StoragePolicy, "tag", tag.id):
        # As an earlier tag of the same category has left it.
        policy = edit.get(StoragePolicy, id)
        if policy is not None:
            left = tuple(kept for kept in policy.tags if kept != tag.id)
            edit.put(msgspec.structs.replace(policy, tags=left, lost_tags=True))
    policies = (edit.get(ComputePolicy, id) for id in inventory.by(ComputePolicy, "tag", tag.id))
    delete_compute_policies(edit, inventory, [found for found in policies if found is not None], with_made_tags=True)
