"""``resphere.groups``: local groups."""

from __future__ import annotations

from resphere.access.principal import canonical_name
from resphere.auth.group_changes import Members, no_group
from resphere.auth.groups import Group, is_built_in
from resphere.contract.extensions.users import Groups
from resphere.services.call import Call
from resphere.services.checks.administrators import require_equal_to_group
from resphere.services.registry import implements


@implements(Groups.list)
async def list_groups(call: Call) -> tuple[Groups.Summary, ...]:
    """The local groups by name."""
    groups = sorted(call.all(Group).values(), key=lambda group: group.id)
    return tuple(
        Groups.Summary(group=each.id, name=each.name, description=each.description, built_in=is_built_in(each))
        for each in groups
    )


@implements(Groups.get)
async def get(call: Call, group: str) -> Groups.Info:
    """One local group with its members.

    :raises NotFound: there is none of that name.
    """
    found = call.get(Group, canonical_name(group))
    if found is None:
        raise no_group(group)
    return Groups.Info(
        group=found.id,
        name=found.name,
        description=found.description,
        built_in=is_built_in(found),
        users=found.users,
        groups=found.groups,
    )


@implements(Groups.create)
async def create(call: Call, spec: Groups.CreateSpec) -> str:
    """A new group without members.

    :raises AlreadyExists: there is one of that name.
    :raises InvalidArgument: the name is none.
    """
    return await call.environment.identities.group_changes.create(spec.name, spec.description or "")


@implements(Groups.update)
async def update(call: Call, group: str, spec: Groups.UpdateSpec) -> None:
    """Describe a group anew.

    :raises NotFound: there is none of that name.
    :raises Unauthorized: its members administer, and the caller does not.
    """
    require_equal_to_group(call, group)
    await call.environment.identities.group_changes.describe(canonical_name(group), spec.description)


@implements(Groups.delete)
async def delete(call: Call, group: str) -> None:
    """Delete a group; its members stay.

    :raises NotFound: there is none of that name.
    :raises InvalidArgument: every vCenter has it.
    :raises Unauthorized: its members administer, and the caller does not.
    """
    require_equal_to_group(call, group)
    await call.environment.identities.group_changes.delete(canonical_name(group))


@implements(Groups.add_members)
async def add_members(call: Call, group: str, members: Groups.Members) -> None:
    """Add members, who are in it at once.

    :raises NotFound: there is no such group, or local user or group.
    :raises InvalidArgument: a name is none, a group would be in itself, or the group has its members by itself.
    :raises Unauthorized: its members administer, and the caller does not.
    """
    require_equal_to_group(call, group)
    await call.environment.identities.group_changes.add(canonical_name(group), named(members))


@implements(Groups.remove_members)
async def remove_members(call: Call, group: str, members: Groups.Members) -> None:
    """Remove members, who are out of it at once.

    :raises NotFound: there is no such group, or one of them is not in it.
    :raises InvalidArgument: it is the built-in administrator, which stays among the administrators.
    :raises Unauthorized: its members administer, and the caller does not.
    """
    require_equal_to_group(call, group)
    await call.environment.identities.group_changes.remove(canonical_name(group), named(members))


def named(members: Groups.Members) -> Members:
    """The members in order."""
    return Members(tuple(sorted(members.users or ())), tuple(sorted(members.groups or ())))
