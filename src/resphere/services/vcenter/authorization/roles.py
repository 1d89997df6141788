"""``com.vmware.vcenter.authorization.roles``: the roles, vCenter's and those that users define."""

from __future__ import annotations

from collections.abc import Callable

from resphere.access.changes import create_role, remove_role, require_role, update_role
from resphere.access.roles import Role, all_roles
from resphere.contract.generated import ids
from resphere.contract.generated.vcenter_authorization import Roles
from resphere.replica.edit import Edit
from resphere.services.call import Call
from resphere.services.registry import implements
from resphere.services.vcenter.authorization.paging import page


@implements(Roles.list)
async def list_roles(
    call: Call, filter: Roles.FilterSpec | None, iterate: Roles.IterationSpec | None
) -> Roles.ListResult:
    """The roles that fit."""
    iterate = iterate or Roles.IterationSpec()
    roles = {role.id: role for role in all_roles(call.inventory)}
    found, marker = await page(roles, filter, Roles.FilterSpec, fitting, iterate.marker, iterate.page_size)
    items = [Roles.ListItem(role=ids.VcenterAuthorizationRoleId(id), info=info(role)) for id, role in found]
    return Roles.ListResult(items=tuple(items), marker=marker)


@implements(Roles.get)
async def get(call: Call, role: ids.VcenterAuthorizationRoleId) -> Roles.Info:
    """One role.

    :raises NotFound: there is none of that id.
    """
    return info(require_role(call.inventory, role))


@implements(Roles.create)
async def create(call: Call, spec: Roles.CreateSpec) -> ids.VcenterAuthorizationRoleId:
    """Make a role; returns its id."""

    def plan(edit: Edit) -> ids.VcenterAuthorizationRoleId:
        made = create_role(edit, call.unfiltered, spec.name, spec.description, spec.privileges)
        return ids.VcenterAuthorizationRoleId(made.id)

    return await call.settle(plan)


@implements(Roles.update)
async def update(call: Call, role: ids.VcenterAuthorizationRoleId, spec: Roles.UpdateSpec) -> None:
    """Change what is given. Whoever has the role may do more, or less, at once."""

    def plan(edit: Edit) -> None:
        update_role(edit, call.unfiltered, role, spec.name, spec.description, spec.privileges)

    await call.settle(plan)


@implements(Roles.delete)
async def delete(call: Call, role: ids.VcenterAuthorizationRoleId) -> None:
    """Remove a role that no permission gives."""

    def plan(edit: Edit) -> None:
        remove_role(edit, call.unfiltered, role)

    await call.settle(plan)


def info(role: Role) -> Roles.Info:
    """What is told of a role."""
    return Roles.Info(
        name=role.name,
        description=role.description,
        privileges=frozenset(ids.VcenterAuthorizationPrivilegeId(each) for each in role.all_privileges),
        system=role.system,
    )


async def fitting(filter: Roles.FilterSpec) -> Callable[[Role], bool]:
    """Whether all conditions hold: of several privileges, the role has each."""
    return lambda role: (
        (filter.names is None or role.name in filter.names)
        and (filter.privileges is None or filter.privileges <= role.all_privileges)
        and (filter.is_system is None or role.system == filter.is_system)
    )
