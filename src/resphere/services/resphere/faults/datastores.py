"""``resphere.faults.datastores``: datastores that cannot be reached for a while."""

from __future__ import annotations

import msgspec

from resphere.contract.errors import AlreadyInDesiredState, Unsupported, message
from resphere.contract.extensions.faults import DatastoreFaults
from resphere.contract.generated import ids
from resphere.inventory.mentions import named
from resphere.inventory.model import Datastore
from resphere.providers.base import NotCapable, required
from resphere.replica.edit import Edit
from resphere.services.call import Call
from resphere.services.registry import implements
from resphere.tasks.change import lacking_message


@implements(DatastoreFaults.fail)
async def fail(call: Call, datastore: ids.DatastoreId) -> None:
    """Have a datastore be inaccessible: nothing is written there, nothing on it is started, and what runs goes on.

    :raises AlreadyInDesiredState: it is.
    """
    await reach(call, datastore, accessible=False)


@implements(DatastoreFaults.recover)
async def recover(call: Call, datastore: ids.DatastoreId) -> None:
    """Have it be accessible again.

    :raises AlreadyInDesiredState: it is.
    """
    await reach(call, datastore, accessible=True)


async def reach(call: Call, datastore: ids.DatastoreId, *, accessible: bool) -> None:
    """Have a datastore be accessible, or not.

    :raises AlreadyInDesiredState: it is so.
    :raises Unsupported: the provider's datastores are as they are.
    """
    target = call.require(Datastore, datastore)
    try:
        required(call.provider.capabilities.failures)
    except NotCapable as error:
        raise Unsupported(lacking_message(error)) from None

    def guard(current: Datastore) -> None:
        if current.accessible is accessible:
            said = "The datastore {0} is accessible." if accessible else "The datastore {0} is not accessible."
            raise AlreadyInDesiredState(message("resphere.faults.datastore", said, named(current)))

    def plan(edit: Edit, current: Datastore) -> None:
        edit.put(msgspec.structs.replace(current, accessible=accessible))

    await call.change("Datastore.recover" if accessible else "Datastore.fail", target, plan, guard)
