"""URLs of buckets."""

from __future__ import annotations

import pytest

from resphere.store.buckets.contents import LEAST_PART_BYTES, MIB, MOST_PARTS, part_bytes_for
from resphere.store.buckets.location import location_of, require_endpoint, require_region


@pytest.mark.parametrize(
    ("url", "bucket", "prefix", "key"),
    [
        ("s3://images", "images", "", "a.1"),
        ("s3://images/", "images", "", "a.1"),
        ("s3://images/vc-1", "images", "vc-1", "vc-1/a.1"),
        ("s3://my.images/vc/1/", "my.images", "vc/1", "vc/1/a.1"),
    ],
)
def test_urls(url: str, bucket: str, prefix: str, key: str) -> None:
    location = location_of(url)
    assert (location.bucket, location.prefix, location.key("a.1")) == (bucket, prefix, key)
    assert location_of(str(location)) == location


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("images", "must be s3://BUCKET/PREFIX, not images"),
        ("https://images", "must be s3://BUCKET/PREFIX"),
        ("s3://", "'' is no name of a bucket"),
        ("s3://Images/a", "'Images' is no name of a bucket"),
        ("s3://key:secret@images/a", "is no name of a bucket"),
        ("s3://images//a", "'/a' is no prefix"),
        ("s3://images/a/../b", "is no prefix"),
        ("s3://images/a?b", "is no prefix"),
        ("s3://images/" + "a" * 513, "is no prefix"),
    ],
)
def test_what_is_no_url(url: str, said: str) -> None:
    with pytest.raises(ValueError) as refused:
        location_of(url)
    assert said in str(refused.value)


@pytest.mark.parametrize("endpoint", ["https://s3.example.com", "http://[::1]:9000/", "http://minio:9000/base"])
def test_endpoints(endpoint: str) -> None:
    require_endpoint(endpoint)


@pytest.mark.parametrize(
    "endpoint",
    ["s3.example.com", "ftp://a", "https://", "https://a:b", "https://user:guess@a", "https://a?b", "http://[::1"],
)
def test_what_is_no_endpoint(endpoint: str) -> None:
    with pytest.raises(ValueError) as refused:
        require_endpoint(endpoint)
    assert "guess" not in str(refused.value)


def test_regions() -> None:
    require_region("eu-central-1")
    with pytest.raises(ValueError):
        require_region("eu central")


@pytest.mark.parametrize("most_bytes", [0, 1, 64 * 1024 * MIB, 2**44])
def test_the_largest_content_has_no_more_parts_than_services_take(most_bytes: int) -> None:
    size = part_bytes_for(most_bytes)
    assert size % MIB == 0
    assert size >= LEAST_PART_BYTES
    assert -(-most_bytes // size) <= MOST_PARTS
