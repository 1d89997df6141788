"""Reports as documents: what there was in the inventory, as somebody saw it at one moment."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

import msgspec

from resphere.access.principal import canonical_name
from resphere.replica.table import Table

MOST_REPORTS = 100
"""Of one user; then the oldest is dropped for each new one."""


class Report(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A report that ``owner`` has asked for; ``content`` is JSON. It is sent to ``webhook``, where that is set."""

    kind: ClassVar[str] = "report"

    id: str
    name: str
    owner: str
    time: datetime
    content: bytes
    webhook: str | None = None


REPORTS = Table(cls=Report, indexes={"owner": lambda report: (canonical_name(report.owner),)}, revises=False)
