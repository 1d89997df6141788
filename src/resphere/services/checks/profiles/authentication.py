"""The part ``AuthManagement``: roles that users define, global permissions and local groups; told, and written into an
edit. Roles are known by their names: numbers are another vCenter's own."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

import msgspec

from resphere.access.changes import create_role, require_permission, require_users_role, role_in_use, update_role
from resphere.access.defaults import MODIFY_PERMISSIONS
from resphere.access.permissions import GLOBAL, Permission, permission_id
from resphere.access.principal import canonical_name
from resphere.access.privileges import PRIVILEGES
from resphere.access.refusals import no_privileges
from resphere.access.roles import SYSTEM_ROLES, Role
from resphere.auth.administration import require_administered
from resphere.auth.federated import vouches
from resphere.auth.group_changes import Members, add_members, canonical, delete_group, new_group, remove_members
from resphere.auth.groups import Find, Group, is_built_in
from resphere.auth.principals import hold
from resphere.contract.errors import ResourceBusy
from resphere.contract.generated import (
    appliance_vcenter_settings_v1_config_components_authmanagement as form,
)
from resphere.contract.generated.appliance_vcenter_settings_v1_config_components_authcommon import Principal
from resphere.replica.edit import Edit
from resphere.rules.appliance_values import invalid
from resphere.services.call import Call
from resphere.services.checks.administrators import administers_all
from resphere.services.checks.profiles.faults import OF_VALUES, Faults
from resphere.services.checks.profiles.state import Among, Planned

MOST = 500
"""So many roles, permissions or groups a profile has at most: they are one change, which others wait for."""
MOST_MEMBERS = 2_000
"""So many members all groups of a profile have together."""
MOST_NAMED = 2 * len(PRIVILEGES)
"""So many privileges a role may name, each once or twice."""
LOCAL_SETTINGS = ("password_policy", "token_policy", "lockout_policy")
"""What the server's own settings say."""
VERSION = "1.0"


def told(among: Among) -> form.AuthenticationManagement:
    """What is set."""
    names = {id: role.name for id, role in {**SYSTEM_ROLES, **among.all(Role)}.items()}
    return form.AuthenticationManagement(
        version=VERSION,
        global_permissions=tuple(
            form.GlobalPermission(
                principal=Principal(name=each.principal, group=each.group),
                role_names=(names[each.role],),
                propagate=each.propagate,
            )
            for _, each in sorted(among.all(Permission).items())
            if each.object == GLOBAL and each.role in names
        ),
        roles=tuple(
            form.Roles(name=role.name, description=role.description, privilege_ids=tuple(sorted(role.all_privileges)))
            for role in sorted(among.all(Role).values(), key=lambda role: role.name.casefold())
        ),
        vc_groups=tuple(
            form.VCGroups(
                principal=group.name,
                description=group.description,
                members=(
                    *(Principal(name=name, group=False) for name in group.users),
                    *(Principal(name=name, group=True) for name in group.groups),
                ),
            )
            for _, group in sorted(among.all(Group).items())
        ),
    )


def require_administrator(call: Call) -> None:
    """Refuse who does not administer: who gives roles could give itself any.

    :raises Unauthorized: it does not.
    """
    if not administers_all(call):
        raise no_privileges(MODIFY_PERMISSIONS, None, call.vcenter)


async def principals_of(
    call: Call, wanted: form.AuthenticationManagement, at: str, faults: Faults
) -> Mapping[str, Permission]:
    """The permissions that are not there yet, by id, of whom they mean: directories are asked. Their roles are not
    known yet.

    :raises ServiceUnavailable: a directory cannot be asked.
    """
    found: dict[str, Permission] = {}
    if len(wanted.global_permissions) > MOST:
        return found
    for place, each in enumerate(wanted.global_permissions):
        permission = Permission(
            principal=each.principal.name, group=each.principal.group, object=GLOBAL, role="", propagate=each.propagate
        )
        if call.unfiltered.get(Permission, permission.id) is None:
            try:
                found[permission.id] = await call.environment.federation.principals.resolve(permission)
            except OF_VALUES as error:
                faults.add(at, (invalid(f"{at}.global_permissions[{place}].principal", "{1}", str(error)).messages))
    return found


def put(
    call: Call,
    edit: Edit,
    wanted: form.AuthenticationManagement,
    at: str,
    faults: Faults,
    principals: Mapping[str, Permission],
) -> None:
    """Write what is wanted; what is wrong with it becomes faults."""
    with faults.of(at):
        require_few(wanted, at)
        require_known(call, wanted, at)
        put_groups(call, edit, wanted.vc_groups, f"{at}.vc_groups", faults, at)
        roles = put_roles(call, edit, wanted.roles, f"{at}.roles", faults, at)
        put_permissions(
            call, edit, wanted.global_permissions, f"{at}.global_permissions", faults, at, roles, principals
        )
        remove_roles(call, edit, wanted.roles, faults, at)
        try:
            require_administered(call.unfiltered, edit)
        except ResourceBusy as nobody_left:
            faults.add(at, nobody_left.messages)


def require_few(wanted: form.AuthenticationManagement, at: str) -> None:
    """Refuse more than can be done at once."""
    for name in ("global_permissions", "roles", "vc_groups"):
        count = len(getattr(wanted, name))
        if count > MOST:
            raise invalid(f"{at}.{name}", "{1} are more than {2}.", count, MOST)
    members = sum(len(each.members or ()) for each in wanted.vc_groups)
    if members > MOST_MEMBERS:
        raise invalid(f"{at}.vc_groups", "they have {1} members, more than {2}.", members, MOST_MEMBERS)
    for place, role in enumerate(wanted.roles):
        if len(role.privilege_ids or ()) > MOST_NAMED:
            raise invalid(f"{at}.roles[{place}].privilege_ids", "it has more than {1}.", MOST_NAMED)


def require_known(call: Call, wanted: form.AuthenticationManagement, at: str) -> None:
    """Refuse what is not set here: privileges are the release's, identity sources have credentials of their own, and
    the rules of passwords, tokens and lockout are the server's settings."""
    for place, privilege in enumerate(wanted.privileges or ()):
        if privilege.id not in PRIVILEGES:
            raise invalid(f"{at}.privileges[{place}].id", "there is no privilege {1}.", repr(privilege.id[:80]))
    for place, source in enumerate(wanted.identity_sources or ()):
        for name in source.names:
            if not vouches(call.unfiltered, canonical_name(name)):
                reason = "there is no identity source for {1}: make it first."
                raise invalid(f"{at}.identity_sources[{place}].names", reason, repr(name[:80]))
    for name in LOCAL_SETTINGS:
        if getattr(wanted, name) is not None:
            raise invalid(f"{at}.{name}", "it is set by the settings that the server starts with.")


def put_groups(call: Call, edit: Edit, wanted: Sequence[form.VCGroups], field: str, faults: Faults, at: str) -> None:
    """Have these groups, with these members; those that every vCenter has stay, with theirs, where they are not
    named."""
    groups: dict[str, tuple[Group, Members]] = {}
    for place, each in enumerate(wanted):
        with faults.of(at):
            made = new_group(each.principal, each.description or "")
            if made.id in groups:
                raise invalid(f"{field}[{place}].principal", "there is another group {1}.", made.name)
            members = each.members or ()
            users, names = canonical(
                Members(
                    tuple(member.name for member in members if not member.group),
                    tuple(member.name for member in members if member.group),
                )
            )
            groups[made.id] = made, Members(users, names)
    present = Planned(call.unfiltered, edit).all(Group)
    for id, group in present.items():
        if id not in groups and not is_built_in(group):
            delete_group(edit, call.unfiltered, id)
    for id, (made, _) in groups.items():
        before = present.get(id)
        edit.put(made if before is None else msgspec.structs.replace(before, description=made.description))
    find = finding(call, edit, groups)
    for id, (_, named) in groups.items():
        with faults.of(at):
            put_members(edit, find, id, named)


def finding(call: Call, edit: Edit, wanted: Mapping[str, tuple[Group, Members]]) -> Find:
    """Finds among the groups as they are going to be."""
    by_user, by_group = defaultdict[str, list[Group]](list), defaultdict[str, list[Group]](list)
    for id, group in Planned(call.unfiltered, edit).all(Group).items():
        users, names = (group.users, group.groups)
        if id in wanted:
            users, names = wanted[id][1].users, wanted[id][1].groups
        for name in users:
            by_user[name].append(group)
        for name in names:
            by_group[name].append(group)
    return lambda index, name: (by_user if index == "user" else by_group).get(name, ())


def put_members(edit: Edit, find: Find, id: str, members: Members) -> None:
    """Have a group have these members and no others."""
    group = edit.get(Group, id)
    assert group is not None
    gone = Members(
        tuple(sorted(set(group.users) - set(members.users))), tuple(sorted(set(group.groups) - set(members.groups)))
    )
    new = Members(
        tuple(sorted(set(members.users) - set(group.users))), tuple(sorted(set(members.groups) - set(group.groups)))
    )
    if gone.users or gone.groups:
        remove_members(edit, id, gone)
    if new.users or new.groups:
        add_members(edit, find, id, new)


def put_roles(
    call: Call, edit: Edit, wanted: Sequence[form.Roles], field: str, faults: Faults, at: str
) -> dict[str, Role]:
    """Have these roles; returns all that there are then, by their names in lower case."""
    roles = {
        role.name.casefold(): role
        for role in (*SYSTEM_ROLES.values(), *Planned(call.unfiltered, edit).all(Role).values())
    }
    done: set[str] = set()
    for place, each in enumerate(wanted):
        with faults.of(at):
            key = each.name.casefold()
            if key in done:
                raise invalid(f"{field}[{place}].name", "there is another role {1}.", each.name)
            done.add(key)
            found = roles.get(key)
            privileges = each.privilege_ids or ()
            if found is None:
                roles[key] = create_role(edit, call.unfiltered, each.name, each.description or "", privileges)
            elif not found.system:
                roles[key] = update_role(
                    edit, call.unfiltered, found.id, description=each.description or "", privileges=privileges
                )
            elif each.privilege_ids is not None and frozenset(privileges) != found.all_privileges:
                require_users_role(edit, found.id)
    return roles


def put_permissions(
    call: Call,
    edit: Edit,
    wanted: Sequence[form.GlobalPermission],
    field: str,
    faults: Faults,
    at: str,
    roles: Mapping[str, Role],
    principals: Mapping[str, Permission],
) -> None:
    """Have these global permissions and no others."""
    done: set[str] = set()
    for place, each in enumerate(wanted):
        with faults.of(at):
            id = permission_id(GLOBAL, each.principal.name, group=each.principal.group)
            if id in done:
                raise invalid(f"{field}[{place}].principal", "{1} has another one.", each.principal.name)
            done.add(id)
            if len(each.role_names) != 1:
                raise invalid(
                    f"{field}[{place}].role_names", "a permission gives one role, not {1}.", len(each.role_names)
                )
            role = roles.get(each.role_names[0].casefold())
            if role is None:
                raise invalid(f"{field}[{place}].role_names", "there is no role {1}.", repr(each.role_names[0][:80]))
            present = edit.get(Permission, id) or principals.get(id)
            if present is None:
                # Whom it means is not known: that is a fault already.
                continue
            permission = msgspec.structs.replace(present, role=role.id, propagate=each.propagate)
            done.add(permission.id)
            require_permission(edit, call.unfiltered, permission)
            hold(edit, permission)
            edit.put(permission)
    for id, permission in Planned(call.unfiltered, edit).all(Permission).items():
        if permission.object == GLOBAL and id not in done:
            edit.delete(Permission, id)


def remove_roles(call: Call, edit: Edit, wanted: Sequence[form.Roles], faults: Faults, at: str) -> None:
    """Remove the roles that are not among those wanted, and that no permission gives."""
    named = {each.name.casefold() for each in wanted}
    planned = Planned(call.unfiltered, edit)
    gone = [role for role in planned.all(Role).values() if role.name.casefold() not in named]
    if not gone:
        return
    given: dict[str, int] = defaultdict(int)
    for permission in planned.all(Permission).values():
        given[permission.role] += 1
    for role in gone:
        with faults.of(at):
            if given[role.id]:
                raise role_in_use(role, given[role.id])
            edit.delete(Role, role.id)
