"""What updates of the appliance go by."""

from __future__ import annotations

from pathlib import Path

import msgspec


class Updates(msgspec.Struct, frozen=True):
    """The folder of the ``repository``, if there is one, and how long it takes to go through an update."""

    repository: Path | None = None
    stage_seconds: float = 0.0
    install_seconds: float = 0.0
