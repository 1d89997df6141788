"""Who calls, once their credentials were good."""

from __future__ import annotations

import msgspec

from resphere.access.roles import Role


class Principal(msgspec.Struct, frozen=True):
    """A user: ``name``, the ``role`` that the user has on the root folder, and the names of the user's ``groups``.

    Names of users and groups are the same in any case. ``source`` names the identity source that knows the user, unless
    that is the local accounts.
    """

    name: str
    role: Role
    groups: frozenset[str] = frozenset()
    source: str | None = None
