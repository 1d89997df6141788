"""Whether the appliance runs, since when, and what somebody has asked it to do at a time.

It is powered on when the server starts. After a reboot it is away for a while, and comes back by itself; powered off it
stays, as long as the server runs.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import ClassVar

import msgspec

from resphere.replica.edit import Edit
from resphere.replica.table import Lookup, Table

ONLY = "appliance"
"""The id of the one there is."""


class Action(StrEnum):
    """What is done."""

    REBOOT = "reboot"
    POWEROFF = "poweroff"


class PlannedShutdown(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """``action`` at ``time`` (aware, in UTC), for a ``reason``."""

    time: datetime
    action: Action
    reason: str


class Absence(StrEnum):
    """What clients get while it is away."""

    ERROR = "ERROR"
    """An error of the API, which says when it is there again."""
    PAGE = "PAGE"
    """The page of the proxy in front of its services."""
    DROP = "DROP"
    """Nothing: connections are closed."""


class AppliancePower(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """``booted`` is when it was there last (aware, in UTC): in the future while it is away. ``powered_off`` is what has
    powered it off since, if anything has. ``absence`` is what clients get while it is away."""

    kind: ClassVar[str] = "appliance_power"

    id: str = ONLY
    booted: datetime
    planned: PlannedShutdown | None = None
    powered_off: PlannedShutdown | None = None
    absence: Absence = Absence.ERROR


APPLIANCE_POWER = Table(cls=AppliancePower, revises=False)


def boot(edit: Edit, moment: datetime) -> None:
    """Have the appliance be there from ``moment`` on; what was planned is done."""
    edit.put(AppliancePower(booted=moment))


def power_off(edit: Edit, done: PlannedShutdown) -> None:
    """Have the appliance be gone; what was planned is done."""
    edit.put(AppliancePower(booted=power_of(edit).booted, powered_off=done))


def power_of(among: Lookup) -> AppliancePower:
    """How it is; the server notes it before its first worker starts."""
    power = among.get(AppliancePower, ONLY)
    assert power is not None
    return power
