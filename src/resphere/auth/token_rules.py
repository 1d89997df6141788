"""What API tokens may be called, and what privileges they may name."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from resphere.access.privileges import PRIVILEGES
from resphere.auth.tokens import LONGEST_NAME
from resphere.contract.errors import InvalidArgument, message
from resphere.nearest import meant

MOST_OBJECTS = 1000
LONGEST_PRIVILEGE = max(map(len, PRIVILEGES))


def checked_name(name: str) -> str:
    """The name of a token.

    :raises InvalidArgument: it is none.
    """
    fits = 0 < len(name) <= LONGEST_NAME and name == name.strip()
    if not fits or any(unicodedata.category(each) in ("Cc", "Cf", "Cs", "Zl", "Zp") for each in name):
        raise InvalidArgument(
            message(
                "resphere.token.name",
                "{0} is no name of a token: 1 to {1} characters, without line breaks and control characters, and "
                "without blanks around them.",
                repr(name),
                LONGEST_NAME,
            )
        )
    return name


def checked_privileges(privileges: Iterable[str]) -> frozenset[str]:
    """Privileges of a scope; none is to read only.

    :raises InvalidArgument: one is none.
    """
    privileges = frozenset(privileges)
    for privilege in sorted(privileges - PRIVILEGES):
        # What is longer is like none, and would take long to compare.
        given = privilege[:LONGEST_PRIVILEGE]
        raise InvalidArgument(
            message(
                "resphere.token.privilege", "There is no privilege {0}{1}", repr(given), meant(given, PRIVILEGES) or "."
            )
        )
    return privileges
