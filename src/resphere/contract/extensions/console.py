"""What a console ticket opens here, where a vCenter has a screen behind it."""

from __future__ import annotations

from typing import ClassVar

from resphere.contract import model as m
from resphere.contract.releases import ALL_RELEASES


class Console:
    """``resphere.vcenter.vm.console``: the console of a simulated VM. The ticket stands in the address."""

    class OpenInput(m.Struct, frozen=True, kw_only=True):
        ticket: m.Secret

    open: ClassVar[m.Operation[[m.Secret], bytes]] = m.Operation(
        "resphere.vcenter.vm.console",
        "open",
        input=OpenInput,
        output=lambda: bytes,
        api=m.Route("GET", "/ticket/{ticket}", 200),
        errors=("not_found",),
        releases=ALL_RELEASES,
        media_type="text/plain; charset=utf-8",
    )
