"""From one key of secrets to another.

Everything that is sealed is written again in one transaction. Before it, both keys are kept, after it the new one takes
the old one's place: whoever is killed at any moment leaves a store that opens, and a rotation that can be called again.
"""

from __future__ import annotations

import secrets
from functools import partial

from resphere.inventory.states import SavedState
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica
from resphere.replica.sealing import KEY, KEY_BYTES, NEXT_KEY, Sealing, open_sealing
from resphere.server.assembly import open_replica
from resphere.store.base import Store


def forget_states(replica: Replica, edit: Edit) -> None:
    """Delete the states that are kept: their files are written once, by the old key, and deleted by the next server."""
    for state in replica.all(SavedState):
        edit.delete(SavedState, state)


async def rotate(store: Store, old: bytes | None, new: bytes | None) -> int:
    """Seal by ``new`` what is sealed by ``old``; ``None`` is a key that the store keeps itself, a new one in the second
    place. Returns how many documents were sealed. No server may have the store open.

    :raises StoreError: something is sealed by another key, or a key cannot be kept.
    """
    before = await open_sealing(store, secrets.token_bytes, old)
    key = await store.keys.get(NEXT_KEY, KEY_BYTES) if new is None else new
    replica = await open_replica(store, Sealing(key, secrets.token_bytes, (before.key, *before.others)))
    await replica.change(partial(forget_states, replica))
    count = await replica.seal_anew()
    # What was sealed by the old key lies in free pages until then.
    await store.compact()
    if new is None:
        await store.keys.replace(KEY, NEXT_KEY)
    else:
        await store.keys.forget(NEXT_KEY)
        await store.keys.forget(KEY)
    return count
