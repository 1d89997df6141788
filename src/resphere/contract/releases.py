"""The releases of vCenter's API that the contract knows."""

from __future__ import annotations

ALL_RELEASES = ("7.0", "8.0", "9.1")
