"""A part of a bucket as the contents of a server."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from resphere.store.buckets.bucket import Bucket
from resphere.store.buckets.claim import claim, holder, require
from resphere.store.buckets.contents import BucketContents, part_bytes_for
from resphere.store.buckets.location import BucketLocation


async def open_bucket(
    location: BucketLocation, owner: str, is_alive: Callable[[str], bool], most_bytes: int
) -> BucketContents:
    """The contents there, of which the largest has ``most_bytes``; nothing is asked of the service yet.

    :raises ContentsUnreachable: botocore's own settings make no sense.
    """
    bucket = await asyncio.to_thread(Bucket, location)
    return BucketContents(bucket, owner, is_alive, time.monotonic, part_bytes_for(most_bytes))


async def holder_of(contents: BucketContents) -> str | None:
    """See :func:`resphere.store.buckets.claim.holder`."""
    return await asyncio.to_thread(holder, contents.bucket)


async def claim_for(contents: BucketContents, server: str) -> None:
    """See :func:`resphere.store.buckets.claim.claim`."""
    await asyncio.to_thread(claim, contents.bucket, server)


async def require_of(contents: BucketContents, server: str) -> None:
    """See :func:`resphere.store.buckets.claim.require`."""
    await asyncio.to_thread(require, contents.bucket, server)
