"""The addresses that ``com.vmware.vcenter.vm.guest.filesystem.transfers`` hands out, where a vCenter names a host's."""

from __future__ import annotations

from typing import ClassVar

from resphere.contract import model as m
from resphere.contract.releases import ALL_RELEASES


class GuestTransfers:
    """``resphere.vcenter.vm.guest.transfers``: the bytes of files that go into guests and come out.

    ``id`` and ``token`` stand in the address; no session is needed.
    """

    class DownloadInput(m.Struct, frozen=True, kw_only=True):
        id: str
        token: m.Secret

    class UploadInput(m.Struct, frozen=True, kw_only=True):
        id: str
        token: m.Secret
        content: m.ByteStream

    download: ClassVar[m.Operation[[str, m.Secret], m.ByteStream]] = m.Operation(
        "resphere.vcenter.vm.guest.transfers",
        "download",
        input=DownloadInput,
        output=lambda: m.ByteStream,
        api=m.Route("GET", "/guestFile", 200, query=("id", "token")),
        errors=("not_allowed_in_current_state", "not_found", "service_unavailable"),
        releases=ALL_RELEASES,
        media_type="application/octet-stream",
    )

    upload: ClassVar[m.Operation[[str, m.Secret, m.ByteStream], None]] = m.Operation(
        "resphere.vcenter.vm.guest.transfers",
        "upload",
        input=UploadInput,
        api=m.Route("PUT", "/guestFile", 200, query=("id", "token"), body=("content",), flat=True),
        errors=(
            "already_exists",
            "invalid_argument",
            "not_allowed_in_current_state",
            "not_found",
            "service_unavailable",
            "unable_to_allocate_resource",
        ),
        releases=ALL_RELEASES,
    )
