"""``com.vmware.vcenter.authorization.permissions``: who has which role where.

A permission's id says on what object it is, so that whoever does not see that learns of none. A global one is on the
object without an id, of the type ``Global``: its documentation says that such are "assigned without specifying a
resource".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from msgspec.structs import replace

from resphere.access.changes import create_permission, no_object, require_given, require_present
from resphere.access.defaults import MODIFY_PERMISSIONS, READ
from resphere.access.permissions import GLOBAL, Permission
from resphere.access.principal import canonical_name
from resphere.access.refusals import no_privileges
from resphere.auth.local_os import LOCAL_OS
from resphere.auth.principals import hold, home_name
from resphere.contract.errors import InvalidArgument, ResourceBusy, message
from resphere.contract.generated import ids
from resphere.contract.generated.vapi_std import DynamicID
from resphere.contract.generated.vcenter_authorization import Permissions
from resphere.inventory.paths import object_by_id
from resphere.inventory.tagging import find_object, type_of
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica
from resphere.services.call import Call
from resphere.services.registry import implements
from resphere.services.vcenter.authorization.paging import page
from resphere.turns import in_turns

Principal = Permissions.Principal
GLOBAL_TYPE = "Global"


@implements(Permissions.create)
async def create(call: Call, spec: Permissions.CreateSpec) -> ids.VcenterAuthorizationPermissionId:
    """Set a permission; returns its id.

    :raises Unauthorized: the caller may not change permissions on the object.
    :raises InvalidArgument: there is no such object, role or principal, or the permission belongs elsewhere.
    :raises ServiceUnavailable: the directory that would know the principal cannot be asked.
    """
    inventory = call.unfiltered
    object = GLOBAL if is_global(spec.object) else spec.object.id
    require_privilege(call, MODIFY_PERMISSIONS, object)
    if not is_global(spec.object) and find_object(inventory, spec.object.type, object) is None:
        raise no_object(object)
    permission = await call.environment.federation.principals.resolve(
        Permission(
            principal=name_of(spec.principal),
            group=spec.principal.type is Principal.Type.GROUP,
            object=object,
            role=spec.role,
            propagate=spec.propagating,
        )
    )

    def plan(edit: Edit) -> None:
        create_permission(edit, inventory, permission)
        hold(edit, permission)

    try:
        await inventory.change(plan)
    except ResourceBusy as locked_out:
        # Where it takes from the last administrator what a group's permission gives.
        raise InvalidArgument(*locked_out.messages) from locked_out
    return ids.VcenterAuthorizationPermissionId(permission.id)


@implements(Permissions.get)
async def get(call: Call, permission: ids.VcenterAuthorizationPermissionId) -> Permissions.Info:
    """One permission.

    :raises Unauthorized: the caller does not see the object.
    :raises NotFound: there is none of that id.
    """
    require_privilege(call, READ, object_in(permission))
    return info(call, require_present(call.unfiltered, permission))


@implements(Permissions.update)
async def update(call: Call, permission: ids.VcenterAuthorizationPermissionId, spec: Permissions.UpdateSpec) -> None:
    """Give another role, or have it reach further or less far."""
    require_privilege(call, MODIFY_PERMISSIONS, object_in(permission))

    def plan(edit: Edit) -> None:
        found = require_present(edit, permission)
        changed = replace(
            found,
            role=found.role if spec.role is None else require_given(edit, spec.role),
            propagate=found.propagate if spec.is_propagating is None else spec.is_propagating,
        )
        edit.put(changed)

    await call.settle(plan)


@implements(Permissions.delete)
async def delete(call: Call, permission: ids.VcenterAuthorizationPermissionId) -> None:
    """Take a permission away."""
    require_privilege(call, MODIFY_PERMISSIONS, object_in(permission))
    await call.settle(lambda edit: edit.delete(Permission, require_present(edit, permission).id))


@implements(Permissions.list)
async def list_permissions(
    call: Call, filter: Permissions.FilterSpec | None, iterate: Permissions.IterationSpec | None
) -> Permissions.ListResult:
    """The permissions that fit, on objects that the caller sees.

    :raises InvalidArgument: filter and marker are given.
    """
    iterate = iterate or Permissions.IterationSpec()
    if filter is not None and iterate.marker:
        raise InvalidArgument(
            message(
                "resphere.authorization.marker_with_filter", "iterate.marker: cannot be given together with a filter."
            )
        )
    permissions = {
        id: each
        for id, each in call.unfiltered.all(Permission).items()
        if call.view.sees_all or call.view.holds(READ, each.object or None)
    }
    chosen = partial(fitting, call.unfiltered)
    found, marker = await page(permissions, filter, Permissions.FilterSpec, chosen, iterate.marker, iterate.page_size)
    items = [
        Permissions.ListItem(permission=ids.VcenterAuthorizationPermissionId(id), info=info(call, each))
        for id, each in found
    ]
    return Permissions.ListResult(items=tuple(items), marker=marker)


def require_privilege(call: Call, privilege: str, object: str) -> None:
    """Refuse who lacks the privilege on the object, or has it on nothing global.

    :raises Unauthorized: names it.
    """
    target = object or None
    if not call.view.holds(privilege, target) and not (target is not None and call.view.lacks(target)):
        raise no_privileges(privilege, target, call.vcenter)


def is_global(object: DynamicID) -> bool:
    """Whether no object is meant, but all."""
    return not object.id and object.type in ("", GLOBAL_TYPE)


def object_in(permission: str) -> str:
    """The id of the object in that of a permission."""
    object = permission.partition(":")[0]
    return GLOBAL if object == "global" else object


def name_of(principal: Principal) -> str:
    """``name@domain``; those of the local operating system have no domain."""
    # LOCAL_OS is the domain of principals without one.
    if principal.domain is None or principal.domain.casefold() == LOCAL_OS:
        return principal.name
    return f"{principal.name}@{principal.domain}"


def told(permission: Permission) -> Principal:
    """The principal of a permission."""
    name, at, domain = canonical_or_given(permission.principal).rpartition("@")
    return Principal(
        type=Principal.Type.GROUP if permission.group else Principal.Type.USER,
        name=name if at else domain,
        domain=domain if at else None,
    )


def canonical_or_given(principal: str) -> str:
    """``user@domain`` as it was written, where it was written so."""
    return canonical_name(principal) if "\\" in principal else principal


def info(call: Call, permission: Permission) -> Permissions.Info:
    """What is told of a permission."""
    return Permissions.Info(
        object=place(call, permission),
        principal=told(permission),
        role=ids.VcenterAuthorizationRoleId(permission.role),
        propagating=permission.propagate,
    )


def place(call: Call, permission: Permission) -> DynamicID:
    """Where a permission is."""
    found = object_by_id(call.unfiltered, permission.object)
    return DynamicID(type=GLOBAL_TYPE if found is None else type_of(found), id=permission.object)


async def fitting(inventory: Replica, filter: Permissions.FilterSpec) -> Callable[[Permission], bool]:
    """Whether all conditions hold."""
    objects = None if filter.objects is None else {each.id for each in filter.objects}
    principals = None if filter.principals is None else await holders(inventory, filter.principals)
    return lambda permission: (
        (objects is None or permission.object in objects)
        and (principals is None or permission.holder in principals)
        and (filter.roles is None or permission.role in filter.roles)
        and (filter.is_propagating is None or permission.propagate == filter.is_propagating)
    )


async def holders(inventory: Replica, principals: Sequence[Principal]) -> set[tuple[bool, str]]:
    """Whose permissions are meant."""
    found: set[tuple[bool, str]] = set()
    async for piece in in_turns(principals):
        for each in piece:
            name = home_name(inventory, name_of(each))
            found.add((each.type is Principal.Type.GROUP, canonical_name(name)))
    return found
