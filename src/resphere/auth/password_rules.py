"""What passwords must be like, and for how long one is good."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import groupby

import msgspec

LONGEST_PASSWORD = 256


class PasswordRules(msgspec.Struct, frozen=True, kw_only=True):
    """Rules of new passwords: the least ``length``, how many ``alphabetic``, ``upper`` and ``lower`` case letters,
    ``numeric`` and ``special`` characters there must be, and how often at most one character may stand side by side
    (0: any number). The last ``reuse`` passwords are not taken again. ``lifetime``: a password must be changed after
    that (``None``: never).

    By default those of vCenter's own domain, but for the most characters (20 there) and the lifetime (90 days there).
    (vSphere Authentication, "vCenter Single Sign-On Password Policy", 7.0 and 8.0.)
    """

    length: int = 8
    alphabetic: int = 2
    upper: int = 1
    lower: int = 1
    numeric: int = 1
    special: int = 1
    side_by_side: int = 3
    reuse: int = 5
    lifetime: timedelta | None = None

    def faults(self, password: str) -> tuple[str, ...]:
        """What is wrong with a new password; nothing where it will do."""
        return tuple(self._faults(password))

    def is_over(self, since: datetime | None, now: datetime) -> bool:
        """Whether a password that was set then is too old. Of one that nobody knows the age of it is not said."""
        return self.lifetime is not None and since is not None and now - since >= self.lifetime

    def _faults(self, password: str) -> Iterator[str]:
        if len(password) < self.length:
            yield f"must have at least {self.length} characters"
        if len(password) > LONGEST_PASSWORD:
            yield f"must not have more than {LONGEST_PASSWORD} characters"
            # Others wait while each of them is looked at.
            return
        if any(unicodedata.category(each) in ("Cc", "Cs", "Zl", "Zp") for each in password):
            yield "must not have line breaks or control characters"
        letters = [each for each in password if each.isalpha()]
        needed = (
            (self.alphabetic, len(letters), "letters"),
            (self.upper, sum(map(str.isupper, letters)), "upper-case letters"),
            (self.lower, sum(map(str.islower, letters)), "lower-case letters"),
            (self.numeric, sum(map(str.isdigit, password)), "digits"),
            (self.special, sum(not each.isalnum() for each in password), "special characters"),
        )
        for least, found, what in needed:
            if found < least:
                yield f"must have at least {least} {what}"
        longest = max((len(list(same)) for _, same in groupby(password)), default=0)
        if self.side_by_side and longest > self.side_by_side:
            yield f"must not have more than {self.side_by_side} of one character side by side"


USUAL_RULES = PasswordRules()
