"""The addresses of files that go into content libraries and come out of them, as vCenter has them."""

from __future__ import annotations

from typing import ClassVar

from resphere.contract import model as m
from resphere.contract.releases import ALL_RELEASES

PATH = "/cls/data/{token}/{file_name}"
SERVICE = "resphere.content.transfers"
REFUSALS = (
    "invalid_argument",
    "not_allowed_in_current_state",
    "not_found",
    "resource_inaccessible",
    "service_unavailable",
    "unable_to_allocate_resource",
)


class ContentTransfers:
    """``resphere.content.transfers``: the bytes of files of library items.

    ``token`` stands in the address, which a session on the item has given; no session of the API is needed.
    """

    class DownloadInput(m.Struct, frozen=True, kw_only=True):
        token: m.Secret
        file_name: str
        range: str | None = None
        if_range: str | None = None

    class UploadInput(m.Struct, frozen=True, kw_only=True):
        token: m.Secret
        file_name: str
        content_type: str | None = None
        content: m.ByteStream

    download: ClassVar[m.Operation[[m.Secret, str, str | None, str | None], m.ByteStream]] = m.Operation(
        SERVICE,
        "download",
        input=DownloadInput,
        output=lambda: m.ByteStream,
        api=m.Route("GET", PATH, 200, headers=(("range", "Range"), ("if_range", "If-Range"))),
        errors=("invalid_argument", "not_found", "service_unavailable"),
        releases=ALL_RELEASES,
        media_type="application/octet-stream",
        good_once=False,
    )

    upload: ClassVar[m.Operation[[m.Secret, str, str | None, m.ByteStream], None]] = m.Operation(
        SERVICE,
        "upload",
        input=UploadInput,
        api=m.Route("PUT", PATH, 200, body=("content",), flat=True, headers=(("content_type", "Content-Type"),)),
        errors=REFUSALS,
        releases=ALL_RELEASES,
        good_once=False,
    )

    upload_by_post: ClassVar[m.Operation[[m.Secret, str, str | None, m.ByteStream], None]] = m.Operation(
        SERVICE,
        "upload_by_post",
        input=UploadInput,
        api=m.Route("POST", PATH, 200, body=("content",), flat=True, headers=(("content_type", "Content-Type"),)),
        errors=REFUSALS,
        releases=ALL_RELEASES,
        good_once=False,
    )
