"""The domain of the appliance's own accounts, which are accounts of this server, and the first of them.

As long as root has no account it is the administrator by another name: no password stays as it was installed.
"""

from __future__ import annotations

from resphere.access.principal import canonical_name
from resphere.auth.accounts import ADMINISTRATOR, Account
from resphere.replica.table import Lookup

LOCAL_OS = "localos"
"""As vCenter calls it."""
ROOT = "root"


def account_id(name: str) -> str:
    """By what this server knows the account of that name."""
    return f"{canonical_name(name)}@{LOCAL_OS}"


ROOT_ACCOUNT = account_id(ROOT)


def account_of_root(among: Lookup) -> str:
    """The id of the account that root is."""
    return ADMINISTRATOR if among.get(Account, ROOT_ACCOUNT) is None else ROOT_ACCOUNT
