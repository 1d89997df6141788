"""Contents in a bucket whose service is not there, or goes away in the middle."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

import pytest
from botocore.stub import Stubber

from resphere.store.base import ContentMissing, ContentsUnreachable, StoreError
from resphere.store.buckets import bucket as bucket_module
from resphere.store.buckets.bucket import Bucket
from resphere.store.buckets.claim import MARK, claim, holder, require
from resphere.store.buckets.contents import LISTING_SECONDS, BucketContents
from resphere.store.buckets.location import BucketLocation
from resphere.store.buckets.reading import READ_BYTES, TRIES
from tests.store.test_contents import PART_BYTES, all_of, written
from tests.support.buckets import CREDENTIALS, REGION, SECRET, Service, Wire, bucket_at, wire_to
from tests.support.server import free_port, wait_until


@pytest.fixture(autouse=True)
def few_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is repeated by botocore itself, which waits between."""
    monkeypatch.setattr(bucket_module, "TRIES", 1)
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def wire(s3_service: Service) -> Iterator[Wire]:
    with wire_to(s3_service) as wire:
        yield wire


@pytest.fixture
def name(s3_service: Service) -> str:
    return s3_service.new_bucket()


@pytest.fixture
def bucket(wire: Wire, name: str) -> Bucket:
    """A bucket at the other end of the wire."""
    return bucket_at(wire.endpoint, name)


def contents_of(bucket: Bucket, owner: str = "worker", clock: Callable[[], float] = lambda: 0) -> BucketContents:
    return BucketContents(bucket, owner, lambda name: name == owner, clock, PART_BYTES)


def test_nothing_is_written_where_nobody_answers(bucket: Bucket, wire: Wire) -> None:
    contents = contents_of(bucket)
    wire.cut()
    for size in (1, PART_BYTES, 3 * PART_BYTES):
        with pytest.raises(ContentsUnreachable, match=r"Could not connect|Connection was closed"):
            asyncio.run(written(contents, bytes(size)))
    with pytest.raises(ContentsUnreachable):
        asyncio.run(contents.read("worker.1"))
    # What is cleaned up besides does not fail of it.
    assert asyncio.run(contents.left_behind()) == []
    wire.mend()
    assert bucket.names() == {}


def test_what_an_outage_has_left_is_given_up_when_it_is_over(
    s3_service: Service, bucket: Bucket, name: str, wire: Wire
) -> None:
    contents = contents_of(bucket)

    async def cut_off() -> None:
        async with contents.write() as writing:
            await writing.write(bytes(PART_BYTES + 1))
            wait_until(lambda: s3_service.uploads(name), "the upload of a part")
            wire.cut()
            await writing.write(bytes(PART_BYTES))
            await writing.finish()

    with pytest.raises(ContentsUnreachable):
        asyncio.run(cut_off())
    wait_until(lambda: contents.undeleted, "the deletion that fails")
    assert s3_service.uploads(name) == ["vcenter/libraries/worker.1"]
    wire.mend()
    asyncio.run(contents.left_behind())
    wait_until(lambda: not s3_service.uploads(name) and not s3_service.kept(name), "the deletion")


def test_what_a_killed_worker_has_uploaded_is_given_up(s3_service: Service, bucket: Bucket, name: str) -> None:
    async def scenario() -> None:
        killed = contents_of(bucket, "killed").write()
        await killed.write(bytes(2 * PART_BYTES))
        wait_until(lambda: s3_service.uploads(name), "the upload of a part")
        contents = contents_of(bucket)
        assert await contents.left_behind() == ["killed.1.part"]
        contents.delete("killed.1.part")
        wait_until(lambda: not s3_service.uploads(name) and not s3_service.kept(name), "the deletion")

    asyncio.run(scenario())


def test_finished_before_its_maker_was_killed_it_stays(s3_service: Service, bucket: Bucket, name: str) -> None:
    """Between the end of an upload and the deletion of what tells of its parts."""

    async def scenario() -> None:
        contents = contents_of(bucket)
        content = await written(contents_of(bucket, "killed"), bytes(PART_BYTES + 1))
        bucket.put(f"{content}.part", b"")
        assert await contents.left_behind() == [content, f"{content}.part"]
        contents.delete(f"{content}.part")
        wait_until(lambda: list(bucket.names()) == [content], "the deletion")
        assert await contents.sizes() == {content: PART_BYTES + 1}

    asyncio.run(scenario())


def test_what_a_closed_one_does_not_delete_the_next_one_finds(bucket: Bucket) -> None:
    async def scenario() -> None:
        contents = contents_of(bucket, "ended")
        left = await written(contents, b"left")
        contents.close()
        contents.delete(left)
        assert await contents_of(bucket).left_behind() == [left]

    asyncio.run(scenario())


def test_it_is_not_listed_again_and_again(bucket: Bucket) -> None:
    time = 0.0
    contents = contents_of(bucket, clock=lambda: time)

    async def scenario() -> None:
        nonlocal time
        left = await written(contents_of(bucket, "killed"), b"left")
        assert await contents.left_behind() == [left]
        time = LISTING_SECONDS - 1
        assert await contents.left_behind() == []
        time = LISTING_SECONDS
        assert await contents.left_behind() == [left]

    asyncio.run(scenario())


@pytest.mark.parametrize("breaks", [1, TRIES - 1])
def test_a_reply_that_breaks_off_is_asked_for_again(bucket: Bucket, wire: Wire, breaks: int) -> None:
    data = bytes(range(251)) * (4 * READ_BYTES // 251)

    async def scenario() -> None:
        name = await written(contents_of(bucket), data)
        wire.break_off(*[2 * READ_BYTES] * breaks)
        # With connections of its own.
        contents = contents_of(Bucket(bucket.location))
        assert b"".join(await all_of(await contents.open(name, 7))) == data[7:]

    asyncio.run(scenario())
    assert wire.connections > breaks


def test_a_reader_hears_of_the_end(bucket: Bucket, wire: Wire) -> None:
    async def scenario() -> None:
        name = await written(contents_of(bucket), bytes(64 * READ_BYTES))
        reading = await contents_of(bucket).open(name)
        await anext(aiter(reading))
        wire.cut()
        with pytest.raises(ContentsUnreachable):
            await all_of(reading)

    asyncio.run(scenario())


def test_an_upload_whose_end_was_not_heard_of_is_whole(bucket: Bucket) -> None:
    """The end is told again where its answer is lost; some services know of no such upload then."""
    upload = bucket.begin_upload("a.1")
    parts = [bucket.upload_part("a.1", upload, 1, b"data")]
    bucket.end_upload("a.1", upload, parts, 4)
    bucket.end_upload("a.1", upload, parts, 4)
    with Stubber(bucket._client) as service:
        for known in ({"ContentLength": 4}, {"ContentLength": 5}, None):
            service.add_client_error("complete_multipart_upload", "NoSuchUpload")
            if known is None:
                service.add_client_error("head_object", "404")
            else:
                service.add_response("head_object", known)
        bucket.end_upload("a.1", upload, parts, 4)
        with pytest.raises(ContentsUnreachable, match="NoSuchUpload"):
            bucket.end_upload("a.1", upload, parts, 4)
        with pytest.raises(ContentMissing):
            bucket.end_upload("a.1", upload, parts, 4)


def test_claims(bucket: Bucket, name: str) -> None:
    assert holder(bucket) is None
    with pytest.raises(StoreError, match="is missing, in which this server has written"):
        require(bucket, "mine")
    claim(bucket, "mine")
    claim(bucket, "mine")
    require(bucket, "mine")
    with pytest.raises(StoreError, match=f"belongs to another server, whose store is mine, not theirs.*{name}"):
        claim(bucket, "theirs")
    assert holder(bucket) == "mine"
    # It is no content.
    assert asyncio.run(contents_of(bucket).left_behind()) == []
    assert asyncio.run(contents_of(bucket).sizes()) == {}
    bucket.put(MARK, b"")
    with pytest.raises(StoreError, match="another server"):
        claim(bucket, "mine")


def test_reasons_are_told_and_no_secrets(s3_service: Service, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    nobody = BucketLocation(bucket=name, endpoint=f"http://127.0.0.1:{free_port()}", region=REGION)
    with pytest.raises(ContentsUnreachable, match="Could not connect to the endpoint") as refused:
        claim(Bucket(nobody), "mine")
    assert SECRET not in str(refused.value)
    with pytest.raises(ContentsUnreachable, match="refuses: NoSuchBucket"):
        claim(bucket_at(s3_service.endpoint, "no-such-bucket"), "mine")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    with pytest.raises(ContentsUnreachable, match="there are no credentials; AWS_ACCESS_KEY_ID"):
        claim(bucket_at(s3_service.endpoint, name), "mine")
