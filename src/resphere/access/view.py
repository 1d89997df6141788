"""What a caller may see and do.

Today a principal has one role on the root folder, which holds for everything below it. Permissions along the
inventory tree will be a further :class:`View` whose answers depend on the object; everything above asks only these
questions.
"""

from __future__ import annotations

from typing import Protocol

import msgspec

from resphere.access.roles import Role


class View(Protocol):
    """One caller's eyes on the inventory."""

    @property
    def key(self) -> str:
        """Two callers with equal keys see and may do the same: kept replies are kept by it."""

    def holds(self, privilege: str, target: str | None) -> bool:
        """Whether the caller has ``privilege`` on the managed object ``target`` (``None``: on the root folder)."""


class RootView(msgspec.Struct, frozen=True):
    """The view of a principal whose role stands on the root folder and propagates."""

    role: Role

    @property
    def key(self) -> str:
        return self.role.name

    def holds(self, privilege: str, target: str | None) -> bool:
        """The role holds for every target, as it propagates from the root."""
        return self.role.holds(privilege)
