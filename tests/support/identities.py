"""Users, groups, sessions and tokens of a world in the test's own process."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta

from resphere.auth.accounts import LocalAccounts
from resphere.auth.identities import Identities
from resphere.auth.lockout import USUAL_LOCKOUT, LockoutRules
from resphere.auth.password_rules import USUAL_RULES, PasswordRules
from resphere.auth.sessions import SessionLimits, Sessions
from resphere.auth.tokens import Tokens
from resphere.replica.replica import Replica
from resphere.server.assembly import identities

LONGEST_TOKEN = timedelta(days=366)


def identities_of(
    inventory: Replica,
    now: Callable[[], datetime],
    *,
    rules: PasswordRules = USUAL_RULES,
    lockout: LockoutRules = USUAL_LOCKOUT,
    limits: SessionLimits | None = None,
) -> Identities:
    """All of it, with ids that are the same each time."""
    random_bytes = random.Random(1).randbytes
    return identities(
        inventory,
        LocalAccounts(inventory, random_bytes, now=now, rules=rules, lockout=lockout),
        Sessions(inventory, limits or SessionLimits(), now, random_bytes),
        Tokens(inventory, LONGEST_TOKEN, now, random_bytes),
    )
