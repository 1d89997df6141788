"""What local accounts and groups may be called."""

from __future__ import annotations

import unicodedata

from resphere.access.principal import canonical_name
from resphere.auth.groups import LOCAL_DOMAIN, is_local

LONGEST_NAME = 255
SEPARATORS = frozenset("@\\:")
"""A colon would end the name where it is sent with a password."""


def fault_of_name(name: str) -> str | None:
    """Why nobody can be called so, ``None`` where somebody can: ``user``, ``user@domain`` or ``DOMAIN\\user``."""
    parts = canonical_name(name).split("@")
    if any(not part for part in parts):
        return "must not be empty"
    if len(name) > LONGEST_NAME:
        return f"must not be longer than {LONGEST_NAME} characters"
    if not is_one_word(name):
        return "must have no blanks, line breaks or control characters"
    if len(parts) > 2 or any(character in SEPARATORS for part in parts for character in part):
        return "must be user, user@domain or DOMAIN\\user, without colons"
    return None


def is_one_word(name: str) -> bool:
    """Whether there is nothing in a name that breaks it or a line, or that nobody sees."""
    if name.isascii():
        return name.isprintable() and " " not in name
    # Of Unicode: C* are control characters, formats that turn text around, and what is none; Z* are blanks and breaks.
    return all(unicodedata.category(character)[0] not in "CZ" for character in name)


def group_name(name: str) -> str:
    """The full name of a local group: of the local domain, which need not be written."""
    user, at, _ = name.partition("@")
    return name if at or "\\" in name else f"{user}@{LOCAL_DOMAIN}"


def fault_of_group_name(name: str) -> str | None:
    """Why no local group can be called so, ``None`` where one can."""
    fault = fault_of_name(name)
    if fault is None and not is_local(name):
        return f"must be of the domain {LOCAL_DOMAIN}"
    return fault
