"""``com.vmware.vcenter.authorization.vt_containers.mappings``, of a vCenter that has no vTContainers.

No release's contract has an operation that makes one; other VMware products do. So nothing can be put into any.
"""

from __future__ import annotations

from resphere.access.defaults import MODIFY_PERMISSIONS
from resphere.access.refusals import no_privileges
from resphere.contract.errors import InvalidArgument, NotFound, message
from resphere.contract.generated import ids
from resphere.contract.generated.vcenter_authorization_vt_containers import Mappings
from resphere.services.call import Call
from resphere.services.registry import implements


@implements(Mappings.list)
async def list_mappings(
    call: Call, filter: Mappings.FilterSpec | None, iterate: Mappings.IterationSpec | None
) -> Mappings.ListResult:
    """None.

    :raises InvalidArgument: a page of nothing, or a page behind another one, was asked for.
    """
    page = iterate or Mappings.IterationSpec()
    if page.size is not None and page.size < 1:
        raise InvalidArgument(
            message("resphere.authorization.not_positive", "{0}: must be at least 1.", "iterate.size")
        )
    if page.marker:
        raise InvalidArgument(
            message(
                "resphere.authorization.unknown_marker", "iterate.marker: '{0}' is of no earlier page.", page.marker
            )
        )
    return Mappings.ListResult(items=())


@implements(Mappings.get)
async def get(call: Call, mapping: ids.VcenterAuthorizationVtContainersMappingId) -> Mappings.Info:
    """Refused.

    :raises NotFound: there is none.
    """
    raise no_mapping(mapping)


@implements(Mappings.delete)
async def delete(call: Call, mapping: ids.VcenterAuthorizationVtContainersMappingId) -> None:
    """Refused.

    :raises NotFound: there is none.
    """
    raise no_mapping(mapping)


@implements(Mappings.create)
async def create(call: Call, spec: Mappings.CreateSpec) -> ids.VcenterAuthorizationVtContainersMappingId:
    """Refused.

    :raises Unauthorized: the caller may not change permissions on the object.
    :raises NotFound: there is no such vTContainer.
    """
    if not call.view.holds(MODIFY_PERMISSIONS, spec.object.id) and not call.view.lacks(spec.object.id):
        raise no_privileges(MODIFY_PERMISSIONS, spec.object.id, call.vcenter)
    raise NotFound(message("resphere.authorization.no_container", "There is no vTContainer '{0}'.", spec.vtcontainer))


def no_mapping(mapping: str) -> NotFound:
    """The refusal of an unknown mapping."""
    return NotFound(
        message("resphere.authorization.no_mapping", "There is no mapping of a vTContainer '{0}'.", mapping)
    )
