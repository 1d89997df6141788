"""What is different at the port of the appliance: less is served, and a name and password are good for each call."""

from __future__ import annotations

import msgspec

from resphere.access.principal import canonical_name
from resphere.auth.accounts import ADMINISTRATOR, Account
from resphere.auth.credentials import Credentials
from resphere.contract.errors import NotFound, message
from resphere.contract.model import AnyOperation
from resphere.replica.table import Lookup

ROOT = "root"
ROOT_ACCOUNT = "root@localos"
"""The account of the appliance's root, as vCenter calls it: as long as there is none, it is the administrator by
another name, so that no password stays as it was installed."""
SERVED = (
    "com.vmware.appliance.",
    "com.vmware.cis.session.",
    "com.vmware.cis.tasks.",
    "com.vmware.vapi.",
    "resphere.appliance.",
)
"""What the ids of operations begin with that are served there."""


def require_served(operation: AnyOperation) -> None:
    """Refuse what is served at the main port alone.

    :raises NotFound: it is.
    """
    if not operation.id.startswith(SERVED):
        raise NotFound(
            message(
                "resphere.appliance.other_port",
                "{0} is served at the server's main port; here is what concerns the appliance.",
                operation.id,
            )
        )


def shows_password(credentials: Credentials) -> bool:
    """Whether a name and a password are what shall let the caller in, and no session."""
    return credentials.user is not None and credentials.password is not None and credentials.session_id is None


def of_root(among: Lookup, credentials: Credentials) -> Credentials:
    """The credentials with the account that is meant by root."""
    if credentials.user is None or canonical_name(credentials.user) not in (ROOT, ROOT_ACCOUNT):
        return credentials
    account = ADMINISTRATOR if among.get(Account, ROOT_ACCOUNT) is None else ROOT_ACCOUNT
    return msgspec.structs.replace(credentials, user=account)
