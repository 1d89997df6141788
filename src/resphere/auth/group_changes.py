"""Changes of local groups."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from resphere.access.principal import ADMINISTRATORS, canonical_name
from resphere.auth.account_changes import no_user
from resphere.auth.account_names import fault_of_group_name, fault_of_name, group_name
from resphere.auth.accounts import ADMINISTRATOR, Account
from resphere.auth.groups import IMPLIED, Find, Group, built_in_groups, containing, is_built_in, is_local, stored
from resphere.auth.principals import remove_permissions
from resphere.contract.errors import AlreadyExists, InvalidArgument, NotFound, message
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica

MOST_MEMBERS = 5_000


class Members(msgspec.Struct, frozen=True):
    """Names of users and of groups."""

    users: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()


class GroupChanges:
    """Makes, changes and removes groups. Each change is in force at once, for every worker."""

    def __init__(self, replica: Replica) -> None:
        self._replica = replica

    async def create(self, name: str, description: str = "") -> str:
        """A new group without members; returns its id. The local domain need not be written.

        :raises AlreadyExists: there is one of that name, or a user.
        :raises InvalidArgument: the name is none.
        """
        made = new_group(name, description)

        def plan(edit: Edit) -> None:
            if edit.get(Group, made.id) is not None:
                raise AlreadyExists(message("resphere.group.name_taken", "There is a group {0} already.", made.name))
            edit.put(made)

        await self._replica.change(plan)
        return made.id

    async def describe(self, id: str, description: str | None) -> None:
        """Give a group another description; unset stays.

        :raises NotFound: there is none.
        """

        def plan(edit: Edit) -> None:
            group = require(edit, id)
            if description is not None:
                edit.put(msgspec.structs.replace(group, description=description))

        await self._replica.change(plan)

    async def add(self, id: str, members: Members) -> None:
        """Add members, which may be in it already.

        :raises NotFound: there is no such group, or local user or group.
        :raises InvalidArgument: a name is none, a group would be in itself, or the group has its members by itself.
        """
        await self._replica.change(lambda edit: add_members(edit, stored(self._replica), id, members))

    async def remove(self, id: str, members: Members) -> None:
        """Remove members.

        :raises NotFound: there is no such group, or one of them is not in it.
        :raises InvalidArgument: it is the built-in administrator, which stays among the administrators.
        """
        await self._replica.change(lambda edit: remove_members(edit, id, members))

    async def delete(self, id: str) -> None:
        """Delete a group, also from those that it is in, and its permissions.

        :raises NotFound: there is none.
        :raises InvalidArgument: every vCenter has it.
        """

        await self._replica.change(lambda edit: delete_group(edit, self._replica, id))


def new_group(name: str, description: str = "") -> Group:
    """A group without members. The local domain need not be written.

    :raises InvalidArgument: the name is none.
    """
    full = group_name(name.strip())
    fault = fault_of_group_name(full) if name.strip() else "must not be empty"
    if fault is not None:
        raise InvalidArgument(message("resphere.group.name", "{0} is no name of a group: it {1}.", repr(name), fault))
    return Group(id=canonical_name(full), name=full, description=description)


def add_members(edit: Edit, find: Find, id: str, members: Members) -> None:
    """Add members, which may be in it already; ``find`` knows what groups there are.

    :raises NotFound: there is no such group, or local user or group.
    :raises InvalidArgument: a name is none, a group would be in itself, or the group has its members by itself.
    """
    require_few(len(members.users) + len(members.groups))
    users, groups = canonical(members)
    for name in (*members.users, *members.groups):
        fault = fault_of_name(name)
        if fault is not None:
            raise InvalidArgument(
                message("resphere.group.member", "{0} is no name of a member: it {1}.", repr(name), fault)
            )
    group = require(edit, id)
    require_addable(group)
    for user in users:
        if (account := edit.get(Account, user)) is not None:
            edit.rely_on(account)
        elif is_local(user):
            raise no_user(user)
    above = {canonical_name(each) for each in containing(find, "", (id,))}
    for name in groups:
        if is_local(name):
            edit.rely_on(require(edit, name))
        if name == id or name in above:
            raise InvalidArgument(
                message("resphere.group.in_itself", "The group {0} would be in itself, through {1}.", id, name)
            )
    changed = msgspec.structs.replace(group, users=joined(group.users, users), groups=joined(group.groups, groups))
    require_few(len(changed.users) + len(changed.groups))
    edit.put(changed)


def remove_members(edit: Edit, id: str, members: Members) -> None:
    """Remove members.

    :raises NotFound: there is no such group, or one of them is not in it.
    :raises InvalidArgument: it is the built-in administrator, which stays among the administrators.
    """
    require_few(len(members.users) + len(members.groups))
    users, groups = canonical(members)
    group = require(edit, id)
    for name in sorted({*users} - {*group.users} | {*groups} - {*group.groups}):
        raise NotFound(message("resphere.group.no_member", "{0} is not in the group {1}.", name, id))
    if group.name == ADMINISTRATORS and ADMINISTRATOR in users:
        raise InvalidArgument(
            message("resphere.group.keeps_administrator", "{0} stays in {1}.", ADMINISTRATOR, ADMINISTRATORS)
        )
    edit.put(
        msgspec.structs.replace(
            group,
            users=tuple(sorted(set(group.users) - set(users))),
            groups=tuple(sorted(set(group.groups) - set(groups))),
        )
    )


def delete_group(edit: Edit, replica: Replica, id: str) -> None:
    """Delete a group, also from those that it is in, and its permissions.

    :raises NotFound: there is none.
    :raises InvalidArgument: every vCenter has it.
    """
    group = require(edit, id)
    if is_built_in(group):
        raise InvalidArgument(message("resphere.group.built_in", "{0} is built in: it cannot be deleted.", id))
    edit.delete(Group, id)
    remove_permissions(edit, replica, group)
    for other in list(replica.by(Group, "group", id).values()):
        present = edit.get(Group, other.id)
        if present is not None:
            left = tuple(each for each in present.groups if each != id)
            edit.put(msgspec.structs.replace(present, groups=left))


def require_few(count: int) -> None:
    """Refuse more members than a group may have.

    :raises InvalidArgument: there are more.
    """
    if count > MOST_MEMBERS:
        raise InvalidArgument(
            message("resphere.group.too_many", "A group cannot have more than {0} members.", MOST_MEMBERS)
        )


def canonical(members: Members) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The users and groups in lower case; the local domain of a group need not be written."""
    groups = (canonical_name(group_name(name.strip())) for name in members.groups)
    return tuple(map(canonical_name, members.users)), tuple(groups)


def put_built_in_groups(edit: Edit) -> None:
    """See that the groups which every vCenter has are there."""
    for group in built_in_groups():
        if edit.get(Group, group.id) is None:
            edit.put(group)


def require(edit: Edit, id: str) -> Group:
    """The group of that id.

    :raises NotFound: there is none.
    """
    group = edit.get(Group, id)
    if group is None:
        raise no_group(id)
    return group


def no_group(name: str) -> NotFound:
    """The refusal of a group that is not there."""
    return NotFound(message("resphere.group.not_found", "There is no local group {0}.", name))


def require_addable(group: Group) -> None:
    """Refuse to add to a group that has its members by itself.

    :raises InvalidArgument: it has.
    """
    if group.name in IMPLIED:
        raise InvalidArgument(
            message("resphere.group.implied", "{0}: {1}. Nobody can be added.", group.name, IMPLIED[group.name])
        )


def joined(before: Iterable[str], more: Iterable[str]) -> tuple[str, ...]:
    """Both, sorted, each once."""
    return tuple(sorted({*before, *more}))
