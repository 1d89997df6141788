"""The calls of the S3 API that contents need, each of which waits: for threads.

botocore makes and signs them. It finds credentials as all of Amazon's tools do: in the environment
(``AWS_ACCESS_KEY_ID``, ``AWS_SECRET_ACCESS_KEY``, ``AWS_SESSION_TOKEN``, ``AWS_PROFILE``), in ``~/.aws``, or as the
machine or container that it runs on is given them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, cast

import msgspec
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError
from botocore.response import StreamingBody
from botocore.session import Session

from resphere.store.base import ContentMissing, ContentsUnreachable, NoRoom, StoreError
from resphere.store.buckets.location import BucketLocation

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client
    from types_boto3_s3.type_defs import CompletedPartTypeDef, GetObjectRequestTypeDef

CONNECT_SECONDS, READ_SECONDS, TRIES = 5, 60, 3
DEFAULT_REGION = "us-east-1"
MISSING = frozenset({"NoSuchKey", "NotFound", "404"})
NO_RANGE = frozenset({"InvalidRange", "416"})
EXISTS = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "412", "409"})
NO_UPLOAD = "NoSuchUpload"
FULL = frozenset({"EntityTooLarge", "QuotaExceeded", "XMinioStorageFull", "InsufficientStorage", "507"})
"""Amazon's own has room for all but the largest; others have quotas and disks."""


class Found(msgspec.Struct, frozen=True):
    """An object from where it was asked for: its body, how much that is, and what tells its content from others."""

    body: StreamingBody
    size_bytes: int
    tag: str


class Bucket:
    """A part of a bucket. What it knows objects by are their names in that part.

    Every method may raise :class:`~resphere.store.base.ContentsUnreachable`.
    """

    def __init__(self, location: BucketLocation) -> None:
        """:raises ContentsUnreachable: botocore's own settings, in the environment or ``~/.aws``, make no sense."""
        self.location = location
        with self._told():
            self._client: S3Client = _client(location)

    def get(self, name: str, first_byte: int = 0, last_byte: int | None = None, tag: str | None = None) -> Found | None:
        """Begin to read an object, the one of that ``tag``; ``None``: it has no byte of those.

        :raises ContentMissing: there is none.
        """
        asked: GetObjectRequestTypeDef = {"Bucket": self._bucket, "Key": self._key(name)}
        if first_byte or last_byte is not None:
            asked["Range"] = f"bytes={first_byte}-{'' if last_byte is None else last_byte}"
        if tag is not None:
            asked["IfMatch"] = tag
        with self._told(name):
            try:
                reply = self._client.get_object(**asked)
            except ClientError as error:
                if code_of(error) in NO_RANGE:
                    return None
                raise
        return Found(reply["Body"], reply["ContentLength"], reply["ETag"])

    def size_bytes(self, name: str) -> int:
        """How large an object is.

        :raises ContentMissing: there is none.
        """
        with self._told(name):
            return self._client.head_object(Bucket=self._bucket, Key=self._key(name))["ContentLength"]

    def put(self, name: str, data: bytes | bytearray) -> None:
        """Write an object.

        :raises NoRoom: it does not fit.
        """
        with self._told(name):
            self._client.put_object(Bucket=self._bucket, Key=self._key(name), Body=cast(bytes, data))

    def make(self, name: str, data: bytes) -> None:
        """Write an object unless there is one, as far as the service knows that condition."""
        with self._told(name):
            try:
                self._client.put_object(Bucket=self._bucket, Key=self._key(name), Body=data, IfNoneMatch="*")
            except ClientError as error:
                if code_of(error) in ("NotImplemented", "501"):
                    self._client.put_object(Bucket=self._bucket, Key=self._key(name), Body=data)
                elif code_of(error) not in EXISTS:
                    raise

    def delete(self, name: str) -> None:
        """Delete an object; none is fine."""
        with self._told(name):
            self._client.delete_object(Bucket=self._bucket, Key=self._key(name))

    def names(self) -> dict[str, int]:
        """Every object in this part of the bucket, and its size."""
        prefix = self._key("")
        found: dict[str, int] = {}
        with self._told():
            for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix):
                for each in page.get("Contents", ()):
                    found[each["Key"].removeprefix(prefix)] = each["Size"]
        return found

    def begin_upload(self, name: str) -> str:
        """The id of an upload in parts."""
        with self._told(name):
            return self._client.create_multipart_upload(Bucket=self._bucket, Key=self._key(name))["UploadId"]

    def upload_part(self, name: str, upload: str, number: int, data: bytes | bytearray) -> CompletedPartTypeDef:
        """Send a part; returns what the end of the upload tells of it.

        :raises NoRoom: it does not fit.
        """
        with self._told(name):
            reply = self._client.upload_part(
                Bucket=self._bucket, Key=self._key(name), UploadId=upload, PartNumber=number, Body=cast(bytes, data)
            )
        return {"ETag": reply["ETag"], "PartNumber": number}

    def end_upload(self, name: str, upload: str, parts: list[CompletedPartTypeDef], size_bytes: int) -> None:
        """Have an object be what its parts are together.

        :raises NoRoom: it does not fit.
        """
        with self._told(name):
            try:
                self._client.complete_multipart_upload(
                    Bucket=self._bucket, Key=self._key(name), UploadId=upload, MultipartUpload={"Parts": parts}
                )
            except ClientError as error:
                # Where an answer was lost the call is repeated, and the upload is over by then.
                if code_of(error) != NO_UPLOAD or self.size_bytes(name) != size_bytes:
                    raise

    def abort_uploads(self, name: str) -> None:
        """Give up what was uploaded of an object that was not finished.

        MinIO lists uploads of whole names only, not of all that begin with something.
        """
        key = self._key(name)
        with self._told(name):
            pages = self._client.get_paginator("list_multipart_uploads").paginate(Bucket=self._bucket, Prefix=key)
            uploads = [each for page in pages for each in page.get("Uploads", ()) if each["Key"] == key]
            for each in uploads:
                try:
                    self._client.abort_multipart_upload(
                        Bucket=self._bucket, Key=self._key(name), UploadId=each["UploadId"]
                    )
                except ClientError as error:
                    if code_of(error) != NO_UPLOAD:
                        raise

    def failed(self, error: BaseException) -> ContentsUnreachable:
        """What is said of a failure while a body is read."""
        return ContentsUnreachable(f"{self.location}: {error}")

    @property
    def _bucket(self) -> str:
        return self.location.bucket

    def _key(self, name: str) -> str:
        return self.location.key(name)

    @contextmanager
    def _told(self, name: str = "") -> Iterator[None]:
        try:
            yield
        except ClientError as error:
            raise self._refusal(error, name) from None
        except NoCredentialsError:
            raise ContentsUnreachable(
                f"{self.location}: there are no credentials; AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the "
                "environment, or AWS_PROFILE and ~/.aws, say which"
            ) from None
        except BotoCoreError as error:
            raise ContentsUnreachable(f"{self.location}: {error}") from None

    def _refusal(self, error: ClientError, name: str) -> StoreError:
        code = code_of(error)
        place = self._key(name)
        if code in MISSING and name:
            return ContentMissing(f"{self.location}: {place} is missing")
        if code in FULL:
            return NoRoom(f"{self.location} has no room for {place}: {code}")
        # Answers without a body have no words of their own.
        words = error.response["Error"].get("Message") or error.operation_name
        return ContentsUnreachable(f"{self.location} refuses: {code}: {words}")


def code_of(error: ClientError) -> str:
    """What the service calls the failure, or else the status."""
    return error.response["Error"].get("Code", "")


def _client(location: BucketLocation) -> S3Client:
    session = Session()
    config = Config(
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        retries={"total_max_attempts": TRIES, "mode": "standard"},
        # A host's name for each bucket is Amazon's way; many others have one name, and know no checksums behind bodies.
        s3={"addressing_style": "auto" if location.endpoint is None else "path"},
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    region = location.region or session.get_config_variable("region") or DEFAULT_REGION
    client = session.create_client("s3", region_name=region, endpoint_url=location.endpoint, config=config)
    return cast("S3Client", client)
