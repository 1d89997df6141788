"""The storage policy that an input names."""

from __future__ import annotations

from resphere.contract.errors import InvalidArgument, NotFound, message
from resphere.contract.model import LocalizableMessage
from resphere.inventory.storage_policies import StoragePolicy
from resphere.replica.replica import Replica
from resphere.replica.table import Reading
from resphere.rules.storage_policies import find_policy


def require_policy(inventory: Reading, id: str) -> StoragePolicy:
    """The policy that a path names.

    :raises NotFound: there is none of that id.
    """
    found = find_policy(inventory, id)
    if found is None:
        raise NotFound(_unknown(id))
    return found


def named_policy(inventory: Replica, id: str, where: str) -> StoragePolicy:
    """The policy that the field ``where`` of a spec names.

    :raises InvalidArgument: there is none of that id.
    """
    found = find_policy(inventory, id)
    if found is None:
        raise InvalidArgument(
            message("resphere.storage_policy.unknown", "{0}: there is no storage policy with the id {1}.", where, id)
        )
    return found


def _unknown(id: str) -> LocalizableMessage:
    return message("resphere.storage_policy.unknown", "Storage policy with identifier '{0}' does not exist.", id)
