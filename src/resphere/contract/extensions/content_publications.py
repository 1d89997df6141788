"""The addresses at which published content libraries are read, as VMware's VCSP has them.

What is called how is vCenter's: the address of a library (``publish_info.publish_url``, captured of a vCenter 7.0), and
the names of the documents beside it, which VMware's ``make_vcsp_2018.py`` writes. Where a file lies its ``hrefs`` say.
"""

from __future__ import annotations

from typing import ClassVar

from resphere.contract import model as m
from resphere.contract.releases import ALL_RELEASES

FOLDER = "/cls/vcsp/lib/{library}/"
LIBRARY_FILE = "lib.json"
ITEMS_FILE = "items.json"
ITEM_FILE = "{item}/item.json"
CONTENT_FILE = "{item}/{content}/{file_name}"
LIBRARY_PATH = FOLDER + LIBRARY_FILE
SERVICE = "resphere.content.publications"
MEDIA_TYPE = "application/json"


class ContentPublications:
    """``resphere.content.publications``: published libraries, for who subscribes to them.

    No session of the API is needed. Where the library has a password, it is asked for by ``Basic``.
    """

    class LibraryInput(m.Struct, frozen=True, kw_only=True):
        library: str

    class ItemInput(m.Struct, frozen=True, kw_only=True):
        library: str
        item: str

    class FileInput(m.Struct, frozen=True, kw_only=True):
        library: str
        item: str
        content: str
        file_name: str
        range: str | None = None
        if_range: str | None = None

    library: ClassVar[m.Operation[[str], m.ByteStream]] = m.Operation(
        SERVICE,
        "library",
        input=LibraryInput,
        output=lambda: m.ByteStream,
        api=m.Route("GET", LIBRARY_PATH, 200),
        errors=("not_found", "service_unavailable", "unauthenticated"),
        releases=ALL_RELEASES,
        media_type=MEDIA_TYPE,
    )

    items: ClassVar[m.Operation[[str], m.ByteStream]] = m.Operation(
        SERVICE,
        "items",
        input=LibraryInput,
        output=lambda: m.ByteStream,
        api=m.Route("GET", FOLDER + ITEMS_FILE, 200),
        errors=("not_found", "service_unavailable", "unauthenticated"),
        releases=ALL_RELEASES,
        media_type=MEDIA_TYPE,
    )

    item: ClassVar[m.Operation[[str, str], m.ByteStream]] = m.Operation(
        SERVICE,
        "item",
        input=ItemInput,
        output=lambda: m.ByteStream,
        api=m.Route("GET", FOLDER + ITEM_FILE, 200),
        errors=("not_found", "service_unavailable", "unauthenticated"),
        releases=ALL_RELEASES,
        media_type=MEDIA_TYPE,
    )

    file: ClassVar[m.Operation[[str, str, str, str, str | None, str | None], m.ByteStream]] = m.Operation(
        SERVICE,
        "file",
        input=FileInput,
        output=lambda: m.ByteStream,
        api=m.Route("GET", FOLDER + CONTENT_FILE, 200, headers=(("range", "Range"), ("if_range", "If-Range"))),
        errors=("invalid_argument", "not_found", "service_unavailable", "unauthenticated"),
        releases=ALL_RELEASES,
        media_type="application/octet-stream",
    )
