"""The clock of the simulated vCenter: to be set, moved and stopped by tests."""

from __future__ import annotations

from typing import ClassVar

from resphere.contract import model as m
from resphere.contract.releases import ALL_RELEASES

READ = (m.Requirement(("Global.Settings",)),)
REFUSALS = ("unauthenticated", "unauthorized")
PATH = "/api/resphere/clock"


class Clock:
    """``resphere.clock``: what time it is in the vCenter. The inventory, tasks and schedules go by it; who is let in,
    the audit log, events and certificates go by the machine's."""

    class SetSpec(m.Struct, frozen=True, kw_only=True):
        """The ``time`` from now on, from the year 2000 to 2099. ``frozen``: it stands still; unset, it goes on."""

        __vapi_name__ = "resphere.clock.set_spec"
        time: m.DateTime
        frozen: bool | None = None

    class AdvanceSpec(m.Struct, frozen=True, kw_only=True):
        """By how much the clock is moved, back where it is negative; a frozen one stands still there."""

        __vapi_name__ = "resphere.clock.advance_spec"
        seconds: float

    class Info(m.Struct, frozen=True, kw_only=True):
        """The ``time`` of the vCenter, and that of the machine. ``set``: it is another clock than the machine's."""

        __vapi_name__ = "resphere.clock.info"
        time: m.DateTime
        machine_time: m.DateTime
        set: bool
        frozen: bool

    class SetInput(m.Struct, frozen=True, kw_only=True):
        spec: Clock.SetSpec

    class AdvanceInput(m.Struct, frozen=True, kw_only=True):
        spec: Clock.AdvanceSpec

    get: ClassVar[m.Operation[[], Clock.Info]] = m.Operation(
        "resphere.clock",
        "get",
        output=lambda: Clock.Info,
        api=m.Route("GET", PATH, 200),
        errors=REFUSALS,
        privileges=READ,
        releases=ALL_RELEASES,
    )

    set: ClassVar[m.Operation[[Clock.SetSpec], None]] = m.Operation(
        "resphere.clock",
        "set",
        input=SetInput,
        api=m.Route("PUT", PATH, 204, body=("spec",), flat=True),
        errors=("invalid_argument", "unsupported", *REFUSALS),
        privileges=READ,
        releases=ALL_RELEASES,
    )

    advance: ClassVar[m.Operation[[Clock.AdvanceSpec], None]] = m.Operation(
        "resphere.clock",
        "advance",
        input=AdvanceInput,
        api=m.Route("POST", PATH, 204, dispatch=(("action", "advance"),), body=("spec",), flat=True),
        errors=("invalid_argument", "unsupported", *REFUSALS),
        privileges=READ,
        releases=ALL_RELEASES,
    )

    release: ClassVar[m.Operation[[], None]] = m.Operation(
        "resphere.clock",
        "release",
        api=m.Route("POST", PATH, 204, dispatch=(("action", "release"),)),
        errors=REFUSALS,
        privileges=READ,
        releases=ALL_RELEASES,
    )
