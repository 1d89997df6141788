"""What services manage users with."""

from __future__ import annotations

import msgspec

from resphere.auth.account_changes import AccountChanges
from resphere.auth.accounts import LocalAccounts
from resphere.auth.group_changes import GroupChanges
from resphere.auth.sessions import Sessions
from resphere.auth.tokens import Tokens


class Identities(msgspec.Struct, frozen=True):
    """Local users and groups, how each is changed, sessions and API tokens."""

    accounts: LocalAccounts
    account_changes: AccountChanges
    group_changes: GroupChanges
    sessions: Sessions
    tokens: Tokens
