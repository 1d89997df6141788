"""Acquisition specifications: which figures of which machines are recorded, how often, and until when."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from resphere.contract.generated import ids
from resphere.contract.generated.vstats import AcqSpecs, RsrcId
from resphere.replica.table import Table


class Acquisition(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One specification. ``interval`` in seconds; ``created`` and ``expiration`` in seconds since the epoch."""

    kind: ClassVar[str] = "acquisition"

    id: ids.VstatsModelAcqSpecId
    counters: AcqSpecs.CounterSpec
    resources: tuple[RsrcId, ...]
    interval: int
    created: int
    expiration: int
    memo: str = ""


ACQUISITIONS = Table(cls=Acquisition, revises=False)
