"""Where vCenter's REST API begins, for whoever knows nothing of it, and what may be asked of an address of it."""

from __future__ import annotations

from typing import ClassVar

from resphere.contract import model as m
from resphere.contract.generated.vapi_rest_navigation import OperationModel, Root
from resphere.contract.releases import ALL_RELEASES


class Navigation:
    """``resphere.navigation``: what vCenter answers at ``/rest`` itself, and to ``?~method=OPTIONS`` anywhere below it.

    It is what ``com.vmware.vapi.rest.navigation`` tells, with whole URLs: so VMware's openapi generator finds its way.
    """

    class OptionsInput(m.Struct, frozen=True, kw_only=True):
        url: str

    root: ClassVar[m.Operation[[], Root.Info]] = m.Operation(
        "resphere.navigation",
        "root",
        output=lambda: Root.Info,
        rest=m.Route("GET", "/rest", 200),
        releases=ALL_RELEASES,
    )

    options: ClassVar[m.Operation[[str], tuple[OperationModel, ...]]] = m.Operation(
        "resphere.navigation",
        "options",
        input=OptionsInput,
        output=lambda: tuple[OperationModel, ...],
        rest=m.Route("GET", "/rest", 200, dispatch=(("~method", "OPTIONS"),), query=("url",)),
        errors=("not_found",),
        releases=ALL_RELEASES,
    )
