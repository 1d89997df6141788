"""To which server a part of a bucket belongs: two that shared one would delete each other's contents."""

from __future__ import annotations

from resphere.store.base import ContentMissing, StoreError
from resphere.store.buckets.bucket import Bucket

MARK = "server"
"""The object that says so, by the epoch of the server's store."""


def holder(bucket: Bucket) -> str | None:
    """The server to which it belongs, if it does to any.

    :raises ContentsUnreachable: that cannot be told.
    """
    try:
        found = bucket.get(MARK)
    except ContentMissing:
        return None
    return "" if found is None else found.body.read().decode(errors="replace").strip()


def claim(bucket: Bucket, server: str) -> None:
    """Have it belong to ``server``.

    :raises StoreError: it belongs to another.
    :raises ContentsUnreachable: that cannot be told, or nothing be written there.
    """
    if holder(bucket) is None:
        bucket.make(MARK, server.encode())
    require(bucket, server)


def require(bucket: Bucket, server: str) -> None:
    """See that it belongs to ``server``.

    :raises StoreError: it does not.
    :raises ContentsUnreachable: that cannot be told.
    """
    found = holder(bucket)
    if found == server:
        return
    place = f"s3://{bucket.location.bucket}/{bucket.location.key(MARK)}"
    if found is None:
        raise StoreError(
            f"{bucket.location} is not what it was: {place} is missing, in which this server has written "
            f"that it is its own ({server})"
        )
    raise StoreError(
        f"{bucket.location} belongs to another server, whose store is {found}, not {server}: "
        f"choose another prefix, or delete {place} if that server is no more"
    )
