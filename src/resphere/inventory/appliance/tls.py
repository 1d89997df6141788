"""By which parameters the appliance is to speak TLS: standard profiles, and what somebody has said instead.

What can be spoken is what the HTTP server has (rustls on ring): of its versions the oldest can be chosen, its ciphers
and curves are always offered, all of them, as far as they go with the certificate's key.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar

import msgspec

from resphere.inventory.appliance.setting import Setting

TLS_1_2, TLS_1_3 = "tlsv1_2", "tlsv1_3"
"""As vCenter 8.0.3 writes them, which VMware's own config-modules-vmware reads."""
CIPHERS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        TLS_1_2: (
            "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
            "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
            "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
            "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
            "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
            "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
        ),
        TLS_1_3: ("TLS_AES_256_GCM_SHA384", "TLS_AES_128_GCM_SHA256", "TLS_CHACHA20_POLY1305_SHA256"),
    }
)
"""The versions of TLS that listeners speak, each with its ciphers, by IANA's names."""
CURVES = ("x25519", "secp256r1", "secp384r1")
"""The groups in which keys are agreed on, by IANA's names."""


class TlsVersion(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A version and its ciphers."""

    version: str
    ciphers: tuple[str, ...]


class TlsParameters(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The versions, with ciphers, and the curves."""

    versions: tuple[TlsVersion, ...]
    curves: tuple[str, ...]

    @property
    def oldest(self) -> str:
        """The oldest version."""
        return min(each.version for each in self.versions)


EVERYTHING = TlsParameters(
    versions=tuple(TlsVersion(version=version, ciphers=ciphers) for version, ciphers in CIPHERS.items()), curves=CURVES
)
NIST = TlsParameters(
    versions=tuple(
        TlsVersion(version=version, ciphers=tuple(each for each in ciphers if "AES" in each))
        for version, ciphers in CIPHERS.items()
    ),
    curves=tuple(curve for curve in CURVES if curve.startswith("secp")),
)
"""What NIST SP 800-52 (revision 2) lets pass of it."""

COMPATIBLE, MANUAL = "COMPATIBLE", "MANUAL"
PROFILES: Mapping[str, TlsParameters] = MappingProxyType(
    {COMPATIBLE: EVERYTHING, "COMPATIBLE-NON-FIPS": EVERYTHING, "NIST_2024": NIST}
)
"""The standard profiles by vCenter's names, as far as there is anything of them here."""
APPLIANCE, MAIN = "applmgmt", "envoy"
SERVICES = (APPLIANCE, MAIN)
"""The services that listen: at the port of the appliance (5480), and at that of everything (443)."""


class Tls(Setting, frozen=True, kw_only=True, tag="tls"):
    """The standard profile chosen last, the parameters that were set by hand, whether those are in effect instead of
    it, and those of single services, which go before both."""

    about: ClassVar[str] = "TLS profiles and parameters"
    acts: ClassVar[str | None] = (
        "the oldest version acts on each port within seconds; **ciphers and curves are only kept**: all that the HTTP "
        "server has are offered, whatever is chosen among them"
    )

    profile: str = COMPATIBLE
    manual: TlsParameters = EVERYTHING
    manual_active: bool = False
    services: dict[str, TlsParameters] = msgspec.field(default_factory=dict)

    @property
    def everywhere(self) -> TlsParameters:
        """What is in effect where nothing was said of a service."""
        return self.manual if self.manual_active else PROFILES[self.profile]

    def of_service(self, service: str) -> TlsParameters:
        """What is in effect for a service."""
        return self.services.get(service, self.everywhere)
