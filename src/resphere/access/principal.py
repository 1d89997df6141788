"""Who calls, once their credentials were good."""

from __future__ import annotations

import msgspec

ADMINISTRATORS = "Administrators@vsphere.local"
"""The group that is given the role Admin on everything when a store is filled."""


class Scope(msgspec.Struct, frozen=True):
    """What somebody uses of its rights: ``privileges``, and the managed ``objects`` with all that stands in them, by
    their ids. Unset is all there is."""

    privileges: frozenset[str] | None = None
    objects: frozenset[str] | None = None


class Principal(msgspec.Struct, frozen=True):
    """A user: ``name``, and the names of the user's ``groups``. What it may do follows from permissions.

    Names of users and groups are the same in any case. ``source`` names the identity source that knows the user, unless
    that is the local accounts; ``granted`` are the local groups that whoever manages this server gives to groups of
    that source. ``scope`` narrows what follows from name and groups.
    """

    name: str
    groups: frozenset[str] = frozenset()
    source: str | None = None
    scope: Scope | None = None
    granted: frozenset[str] = frozenset()


def canonical_name(name: str) -> str:
    """``DOMAIN\\user`` and ``user@domain`` in any case as ``user@domain``."""
    name = name.strip().casefold()
    if "\\" in name:
        domain, _, user = name.partition("\\")
        return f"{user}@{domain}"
    return name
