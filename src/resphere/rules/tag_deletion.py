"""What becomes of what goes by a tag that is deleted, alone or with its category.

A compute policy goes with its tag, as vCenter's documentation of compute policies has it. A storage policy stays, and
no datastore satisfies what it asked of the tag any more. Both, like attachments, follow from their references.
"""

from __future__ import annotations

from collections.abc import Iterable

from resphere.inventory.compute_policies import ComputePolicy
from resphere.inventory.tagging import Tag
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica


def delete_policies_of_tag(inventory: Replica, edit: Edit, before: Tag | None, after: Tag | None) -> None:
    """Delete the compute policies that go by a deleted tag, and other tags that were made for them. A rule of every
    change of tags."""
    if before is not None and after is None:
        policies = (edit.get(ComputePolicy, id) for id in list(inventory.by(ComputePolicy, "tag", before.id)))
        delete_compute_policies(edit, inventory, [policy for policy in policies if policy], with_made_tags=True)


def delete_compute_policies(
    edit: Edit, inventory: Replica, policies: Iterable[ComputePolicy], *, with_made_tags: bool
) -> None:
    """Delete the policies; ``with_made_tags``: and the tags that were made for them, where no other goes by those."""
    gone = list(policies)
    for policy in gone:
        edit.delete(ComputePolicy, policy.id)
    for id in {policy.vm_tag for policy in gone if policy.made_tag and with_made_tags}:
        others = (edit.get(ComputePolicy, other) for other in inventory.by(ComputePolicy, "tag", id))
        if edit.get(Tag, id) is not None and not any(others):
            edit.delete(Tag, id)
