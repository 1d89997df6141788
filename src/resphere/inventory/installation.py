"""When this vCenter came to be."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

import msgspec

from resphere.replica.table import Table

ONLY = "installation"
"""The id of the one there is."""


class Installation(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """The first start on a data directory (aware, in UTC), or the first of a release that notes it.

    ``provider`` is the name of the one whose inventory it is.
    """

    kind: ClassVar[str] = "installation"

    id: str = ONLY
    time: datetime
    provider: str = "simulator"


INSTALLATION = Table(cls=Installation)
