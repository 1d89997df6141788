"""The clock of the simulated vCenter, where it is another one than the machine's."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import ClassVar

import msgspec

from resphere.replica.table import Lookup, Table

ONLY = "clock"


class SetClock(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """How the clock was set: it stands at ``frozen``, or is so many milliseconds ahead of the machine's."""

    kind: ClassVar[str] = "clock"

    id: str = ONLY
    frozen: datetime | None = None
    ahead_milliseconds: int = 0

    def moment(self, present: datetime) -> datetime:
        """What the clock shows where the machine's shows ``present``."""
        return self.frozen or present + timedelta(milliseconds=self.ahead_milliseconds)


CLOCKS = Table(cls=SetClock, revises=False)


class VcenterClock:
    """What time it is in the vCenter: that of the machine, unless somebody has set its clock, in any worker."""

    def __init__(self, inventory: Lookup, present: Callable[[], datetime]) -> None:
        self._inventory = inventory
        self._present = present

    def now(self) -> datetime:
        """The moment, in UTC."""
        setting = self._inventory.get(SetClock, ONLY)
        return self._present() if setting is None else setting.moment(self._present())
