"""Where a bucket is, and in which part of it contents lie."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import msgspec

SCHEME = "s3://"
FORM = f"{SCHEME}BUCKET/PREFIX"
BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]\Z")
PREFIX = re.compile(r"[A-Za-z0-9!_.*'()-]+(/[A-Za-z0-9!_.*'()-]+)*\Z")
"""Of the characters that Amazon's documentation calls safe in names of objects."""
MOST_PREFIX_CHARACTERS = 512
REGION = re.compile(r"[A-Za-z0-9-]{1,64}\Z")


class BucketLocation(msgspec.Struct, frozen=True, kw_only=True):
    """The part of a ``bucket`` whose objects' names begin with ``prefix`` and a slash, or all of it.

    ``endpoint`` is the URL of the service; without one it is Amazon's in ``region``.
    """

    bucket: str
    prefix: str = ""
    endpoint: str | None = None
    region: str | None = None

    def __str__(self) -> str:
        return f"{SCHEME}{self.bucket}/{self.prefix}".rstrip("/")

    def key(self, name: str) -> str:
        """The name that an object has in the bucket."""
        return f"{self.prefix}/{name}" if self.prefix else name


def location_of(url: str, endpoint: str | None = None, region: str | None = None) -> BucketLocation:
    """What a URL such as ``s3://images/vcenter-1`` means.

    :raises ValueError: it is none; says why.
    """
    if not url.startswith(SCHEME):
        raise ValueError(f"must be {FORM}, not {url}")
    bucket, _, prefix = url.removeprefix(SCHEME).partition("/")
    prefix = prefix.removesuffix("/")
    if not BUCKET.match(bucket):
        raise ValueError(f"{bucket!r} is no name of a bucket: 3 to 63 lower-case letters, digits, dots and hyphens")
    if prefix and (
        not PREFIX.match(prefix) or len(prefix) > MOST_PREFIX_CHARACTERS or {".", ".."} & set(prefix.split("/"))
    ):
        raise ValueError(
            f"{prefix!r} is no prefix: up to {MOST_PREFIX_CHARACTERS} letters, digits and !-_.*'() with / between names"
        )
    return BucketLocation(bucket=bucket, prefix=prefix, endpoint=endpoint, region=region)


def require_endpoint(endpoint: str) -> None:
    """Refuse what is no URL of a service.

    :raises ValueError: says what it must be.
    """
    try:
        parts = urlsplit(endpoint)
        _ = parts.port
    except ValueError:
        raise ValueError("must be a URL such as https://s3.example.com:9000") from None
    if parts.username is not None or parts.password is not None:
        raise ValueError("must be a URL without a user and a password")
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError(f"must be a URL such as https://s3.example.com:9000, not {endpoint}")


def require_region(region: str) -> None:
    """Refuse what is no name of a region.

    :raises ValueError: says what it must be.
    """
    if not REGION.match(region):
        raise ValueError(f"must be a name such as eu-central-1, not {region!r}")
