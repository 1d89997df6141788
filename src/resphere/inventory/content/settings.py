"""What goes for all content libraries: their configuration, and the certificates by which contents are trusted."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from resphere.contract.generated import ids
from resphere.replica.table import Table


class ContentConfiguration(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """The settings of content libraries; there is one document at most. The defaults are vCenter's."""

    kind: ClassVar[str] = "content_configuration"

    id: str = "content"
    automatic_sync_enabled: bool = True
    automatic_sync_start_hour: int = 20
    automatic_sync_stop_hour: int = 7
    maximum_concurrent_item_syncs: int = 5
    automatic_sync_refresh_interval: int = 240
    automatic_sync_setting_refresh_interval: int = 600
    transfer_throttling_bandwidth_total: int = 0
    transfer_nfc_max_concurrent_transfers_per_host: int = 8
    priority_transfer_threads_pool_size: int = 5
    transfer_threads_pool_size: int = 20


class TrustedCertificate(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A certificate, in PEM, that signs contents; ``fingerprint`` is SHA-256 in hexadecimal digits."""

    kind: ClassVar[str] = "content_trusted_certificate"

    id: ids.ContentTrustedCertificateId
    fingerprint: str
    text: str


CONTENT_CONFIGURATION = Table(cls=ContentConfiguration)

TRUSTED_CERTIFICATES = Table(
    cls=TrustedCertificate,
    indexes={"fingerprint": lambda certificate: (certificate.fingerprint,)},
    claims=lambda certificate: (f"content-trusted-certificate/{certificate.fingerprint}",),
)
