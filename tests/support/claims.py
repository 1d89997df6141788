"""Stores whose documents hold fewer claims than they should."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from resphere.store.base import Claim, Transaction, Write
from resphere.store.engines import default_url, open_store


async def drop_claims(data_dir: Path, lost: Callable[[Claim], bool]) -> int:
    """Have the documents of a data directory's store give up claims; returns how many those were."""
    store = await open_store(default_url(data_dir))
    try:
        claims = await store.claims()
        losers = {(claim.kind, claim.id) for claim in claims if lost(claim)}
        writes = []
        for document in (await store.load()).documents:
            key = (document.kind, document.id)
            if key in losers:
                kept = tuple(each.claim for each in claims if (each.kind, each.id) == key and not lost(each))
                writes.append(Write(*key, document.body, document.revision, kept))
        await store.commit(Transaction(tuple(writes)))
        return len(claims) - len(await store.claims())
    finally:
        await store.close()
