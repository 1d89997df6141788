"""What is different at the port of the appliance: less is served, and a name and password are good for each call."""

from __future__ import annotations

import msgspec

from resphere.access.principal import canonical_name
from resphere.auth.credentials import Credentials
from resphere.auth.local_os import ROOT, ROOT_ACCOUNT, account_of_root
from resphere.contract.errors import NotFound, message
from resphere.contract.model import AnyOperation
from resphere.replica.table import Lookup

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
    return msgspec.structs.replace(credentials, user=account_of_root(among))
