"""What is written to see that the store still writes."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

import msgspec

from resphere.replica.table import Table


class DatabaseProbe(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """When it was written last (aware, in UTC)."""

    kind: ClassVar[str] = "database_probe"

    id: str = "database"
    time: datetime


DATABASE_PROBES = Table(cls=DatabaseProbe, revises=False)
