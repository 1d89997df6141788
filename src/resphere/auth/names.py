"""Names of people and groups that come from elsewhere, as this vCenter knows them."""

from __future__ import annotations

import re

import msgspec

LOCAL_DOMAIN = "vsphere.local"
"""The domain of local accounts and groups. Nobody else may vouch for a name in it."""

LONGEST_NAME = 256
DOMAIN = re.compile(r"(?=.{1,253}\Z)[a-z0-9]([a-z0-9-]{0,62})(\.[a-z0-9]([a-z0-9-]{0,62}))*\Z")
"""Of a domain in lower case: a DNS name, or one of its labels (``CORP``)."""
_UNFIT = re.compile(r"[@\\:\x00-\x1f\x7f-\x9f\u2028\u2029]")


class SplitName(msgspec.Struct, frozen=True):
    """A name as somebody wrote it: ``user``, and in which ``domain`` (lower case), where it says so."""

    user: str
    domain: str | None


def split_name(name: str) -> SplitName:
    """``user@domain``, ``DOMAIN\\user`` or ``user``."""
    if "\\" in name:
        domain, _, user = name.partition("\\")
        return SplitName(user, domain.casefold())
    user, at, domain = name.rpartition("@")
    return SplitName(user, domain.casefold()) if at else SplitName(name, None)


def fits(name: str) -> bool:
    """Whether ``name`` can be a user or a group within a domain: not empty, and with nothing that would make it one of
    another domain, or break a line of a log."""
    return 0 < len(name) <= LONGEST_NAME and name == name.strip() and _UNFIT.search(name) is None


def is_domain(text: str) -> bool:
    """Whether ``text``, in lower case, is the name of a domain."""
    return DOMAIN.match(text) is not None
