"""The releases of vCenter's API that the contract knows."""

from __future__ import annotations

ALL_RELEASES = ("7.0", "8.0", "9.1")


def numbers(release: str) -> tuple[int, ...]:
    """``8.0.2.0`` as numbers, which compare as releases do."""
    return tuple(int(part) for part in release.split("."))
