"""Support bundles that were made, and that could not be."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

import msgspec

from resphere.contract.generated.appliance import SupportBundle
from resphere.contract.model import LocalizableMessage
from resphere.replica.table import Table


class BundleRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One of them: ``content`` names the archive among the contents, which has ``size_bytes`` and can be had until it
    ``expires`` (aware, in UTC); ``None``, with a ``reason``, where none could be made."""

    kind: ClassVar[str] = "support_bundle"

    id: str
    description: str
    time: datetime
    content_type: SupportBundle.ContentType
    content: str | None = None
    size_bytes: int = 0
    sha256: str = ""
    expires: datetime | None = None
    reason: LocalizableMessage | None = None


SUPPORT_BUNDLES = Table(cls=BundleRecord, revises=False)
