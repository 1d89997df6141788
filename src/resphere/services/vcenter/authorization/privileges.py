"""``com.vmware.vcenter.authorization.privileges``: the privileges that there are."""

from __future__ import annotations

from collections.abc import Callable

from resphere.access.privileges import PRIVILEGES, description_of, is_on_parent
from resphere.contract.errors import NotFound, message
from resphere.contract.generated import ids
from resphere.contract.generated.vcenter_authorization import Privileges
from resphere.services.call import Call
from resphere.services.registry import implements
from resphere.services.vcenter.authorization.paging import page

NEVER_CHANGED = 0
"""The version of a privilege that is as it was when it was made."""


@implements(Privileges.get)
async def get(call: Call, privilege: ids.VcenterAuthorizationPrivilegeId) -> Privileges.Info:
    """One privilege.

    :raises NotFound: there is none of that id.
    """
    if privilege not in PRIVILEGES:
        raise NotFound(message("resphere.authorization.no_such_privilege", "There is no privilege '{0}'.", privilege))
    return info(privilege)


@implements(Privileges.list)
async def list_privileges(
    call: Call, filter: Privileges.FilterSpec | None, iterate: Privileges.IterationSpec | None
) -> Privileges.ListResult:
    """The privileges that fit."""
    iterate = iterate or Privileges.IterationSpec()
    found, marker = await page(
        {privilege: info(privilege) for privilege in PRIVILEGES},
        filter,
        Privileges.FilterSpec,
        fitting,
        iterate.marker,
        iterate.page_size,
    )
    items = [Privileges.ListItem(privilege=ids.VcenterAuthorizationPrivilegeId(id), info=each) for id, each in found]
    return Privileges.ListResult(items=tuple(items), marker=marker)


def info(privilege: str) -> Privileges.Info:
    """What is told of a privilege."""
    return Privileges.Info(
        name=privilege,
        description=description_of(privilege),
        on_parent=is_on_parent(privilege),
        version=NEVER_CHANGED,
    )


async def fitting(filter: Privileges.FilterSpec) -> Callable[[Privileges.Info], bool]:
    """Whether all conditions hold."""
    return lambda info: (
        (filter.names is None or info.name in filter.names)
        and (filter.is_on_parent is None or info.on_parent == filter.is_on_parent)
        and (filter.versions is None or info.version in filter.versions)
    )
