"""Guest systems by the texts that vSphere shows for them, and the other way round.

The texts are those of vSphere's clients, which changed with the releases (``or later`` came with 6.7); what differs in
such words only is known by one of them.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache

from resphere.contract.generated.vcenter_vm import GuestOS
from resphere.rules.machines.guest_os_defaults import defaults_of
from resphere.rules.machines.guest_os_ids import guest_OS_of, vim_guest_id

_WINDOWS = "Microsoft Windows"
_TEXTS: dict[str, str] = {
    "WINDOWS_SERVER_2025": f"{_WINDOWS} Server 2025 (64-bit)",
    "WINDOWS_SERVER_2021": f"{_WINDOWS} Server 2022 (64-bit)",
    "WINDOWS_SERVER_2019": f"{_WINDOWS} Server 2019 (64-bit)",
    "WINDOWS_9_SERVER_64": f"{_WINDOWS} Server 2016 or later (64-bit)",
    "WINDOWS_8_SERVER_64": f"{_WINDOWS} Server 2012 (64-bit)",
    "WINDOWS_7_SERVER_64": f"{_WINDOWS} Server 2008 R2 (64-bit)",
    "WIN_LONGHORN_64": f"{_WINDOWS} Server 2008 (64-bit)",
    "WIN_LONGHORN": f"{_WINDOWS} Server 2008 (32-bit)",
    "WIN_NET_ENTERPRISE_64": f"{_WINDOWS} Server 2003 (64-bit)",
    "WIN_NET_ENTERPRISE": f"{_WINDOWS} Server 2003 (32-bit)",
    "WIN_NET_STANDARD_64": f"{_WINDOWS} Server 2003 Standard (64-bit)",
    "WIN_NET_STANDARD": f"{_WINDOWS} Server 2003 Standard (32-bit)",
    "WIN_NET_DATACENTER_64": f"{_WINDOWS} Server 2003 Datacenter (64-bit)",
    "WIN_NET_DATACENTER": f"{_WINDOWS} Server 2003 Datacenter (32-bit)",
    "WIN_NET_WEB": f"{_WINDOWS} Server 2003 Web Edition (32-bit)",
    "WIN_NET_BUSINESS": f"{_WINDOWS} Small Business Server 2003",
    "WIN_2000_SERV": f"{_WINDOWS} 2000 Server",
    "WIN_2000_ADV_SERV": f"{_WINDOWS} 2000",
    "WIN_2000_PRO": f"{_WINDOWS} 2000 Professional",
    "WINDOWS_12_64": f"{_WINDOWS} 12 (64-bit)",
    "WINDOWS_11_64": f"{_WINDOWS} 11 (64-bit)",
    "WINDOWS_9_64": f"{_WINDOWS} 10 (64-bit)",
    "WINDOWS_9": f"{_WINDOWS} 10 (32-bit)",
    "WINDOWS_8_64": f"{_WINDOWS} 8.x (64-bit)",
    "WINDOWS_8": f"{_WINDOWS} 8.x (32-bit)",
    "WINDOWS_7_64": f"{_WINDOWS} 7 (64-bit)",
    "WINDOWS_7": f"{_WINDOWS} 7 (32-bit)",
    "WINDOWS_HYPERV": f"{_WINDOWS} Hyper-V Server",
    "WIN_VISTA_64": f"{_WINDOWS} Vista (64-bit)",
    "WIN_VISTA": f"{_WINDOWS} Vista (32-bit)",
    "WIN_XP_PRO_64": f"{_WINDOWS} XP Professional (64-bit)",
    "WIN_XP_PRO": f"{_WINDOWS} XP Professional (32-bit)",
    "WIN_XP_HOME": f"{_WINDOWS} XP Home Edition",
    "WIN_NT": f"{_WINDOWS} NT",
    "WIN_ME": f"{_WINDOWS} Millennium Edition",
    "WIN_98": f"{_WINDOWS} 98",
    "WIN_95": f"{_WINDOWS} 95",
    "WIN_31": f"{_WINDOWS} 3.1",
    "DOS": "Microsoft MS-DOS",
    "CENTOS_64": "CentOS 4/5 or later (64-bit)",
    "CENTOS": "CentOS 4/5 or later (32-bit)",
    "ORACLE_LINUX_64": "Oracle Linux 4/5 or later (64-bit)",
    "ORACLE_LINUX": "Oracle Linux 4/5 or later (32-bit)",
    "OTHER_3X_LINUX_64": "Other 3.x or later Linux (64-bit)",
    "OTHER_4X_LINUX_64": "Other 4.x or later Linux (64-bit)",
    "OTHER_5X_LINUX_64": "Other 5.x or later Linux (64-bit)",
    "OTHER_6X_LINUX_64": "Other 6.x or later Linux (64-bit)",
    "OTHER_7X_LINUX_64": "Other 7.x or later Linux (64-bit)",
    "SLES_64": "SUSE Linux Enterprise 8/9 (64-bit)",
    "SLES": "SUSE Linux Enterprise 8/9 (32-bit)",
    "AMAZONLINUX2_64": "Amazon Linux 2 (64-bit)",
    "AMAZONLINUX3_64": "Amazon Linux 3 (64-bit)",
    "DARWIN_10_64": "Apple Mac OS X 10.6 (64-bit)",
    "DARWIN_11_64": "Apple Mac OS X 10.7 (64-bit)",
    "DARWIN_12_64": "Apple Mac OS X 10.8 (64-bit)",
    "DARWIN_13_64": "Apple Mac OS X 10.9 (64-bit)",
    "DARWIN_14_64": "Apple Mac OS X 10.10 (64-bit)",
    "DARWIN_15_64": "Apple Mac OS X 10.11 (64-bit)",
    "DARWIN_16_64": "Apple macOS 10.12 (64-bit)",
    "DARWIN_17_64": "Apple macOS 10.13 (64-bit)",
    "DARWIN_18_64": "Apple macOS 10.14 (64-bit)",
    "DARWIN_19_64": "Apple macOS 10.15 (64-bit)",
    "DARWIN_20_64": "Apple macOS 11 (64-bit)",
    "DARWIN_21_64": "Apple macOS 12 (64-bit)",
    "DARWIN_22_64": "Apple macOS 13 (64-bit)",
    "DARWIN_23_64": "Apple macOS 14 (64-bit)",
    "FREEBSD_64": "FreeBSD Pre-11 versions (64-bit)",
    "FREEBSD": "FreeBSD Pre-11 versions (32-bit)",
    "SOLARIS_11_64": "Oracle Solaris 11 (64-bit)",
    "SOLARIS_10_64": "Oracle Solaris 10 (64-bit)",
    "SOLARIS_9": "Sun Microsystems Solaris 9",
    "SOLARIS_8": "Sun Microsystems Solaris 8",
    "VMKERNEL": "VMware ESX 4.x",
    "VMKERNEL_5": "VMware ESXi 5.x",
    "VMKERNEL_6": "VMware ESXi 6.0",
    "VMKERNEL_65": "VMware ESXi 6.5 or later",
    "VMKERNEL_7": "VMware ESXi 7.0 or later",
    "VMKERNEL_8": "VMware ESXi 8.0 or later",
    "VMKERNEL_9": "VMware ESXi 9.0 or later",
    "CRXPOD_1": "CRX Pod 1 (64-bit)",
    "CRXSYS_1": "CRX Sys 1 (64-bit)",
}
"""Where the product's name and a release alone would not be vSphere's text, or not one text alone."""

_OTHER_TEXTS = {
    "centos 4/5/6/7": "CENTOS_64",
    "centos 4/5/6": "CENTOS_64",
    "oracle linux 4/5/6/7": "ORACLE_LINUX_64",
    "oracle linux 4/5/6": "ORACLE_LINUX_64",
    "microsoft windows 8": "WINDOWS_8_64",
    "microsoft windows server 2012 r2": "WINDOWS_8_SERVER_64",
    "microsoft windows server threshold": "WINDOWS_9_SERVER_64",
    "windows longhorn": "WIN_LONGHORN_64",
    "solaris 11": "SOLARIS_11_64",
    "solaris 10": "SOLARIS_10_64",
    "linux": "OTHER_LINUX_64",
    "other 3.x linux": "OTHER_3X_LINUX_64",
}
_BITS = re.compile(r"\((32|64)[- ]?bits?\)", re.IGNORECASE)
_SPACE = re.compile(r"\s+")


def display_text(guest_OS: GuestOS) -> str:
    """What vSphere shows for a guest system; VIM's id of it where no text is its alone."""
    text = _text(guest_OS)
    return text if _by_text().get(_known_by(text)) is guest_OS else vim_guest_id(guest_OS)


@lru_cache(4096)
def guest_of(text: str) -> GuestOS | None:
    """The guest system of a text, an id of VIM or a value of the API's enumeration."""
    text = text.strip()
    if text in GuestOS.__members__:
        return GuestOS(text)
    return guest_OS_of(text) or _by_text().get(_known_by(text))


@lru_cache(4096)
def nearest_guest(text: str) -> GuestOS:
    """A guest system of the same family, for a text that nobody knows."""
    words = text.lower()
    old = "32" in words
    if "windows" in words:
        if "server" in words:
            return GuestOS.WINDOWS_SERVER_2019
        return GuestOS.WINDOWS_9 if old else GuestOS.WINDOWS_9_64
    for word, found in (
        ("red hat", "RHEL_9_64"),
        ("rhel", "RHEL_9_64"),
        ("suse", "SLES_15_64"),
        ("sles", "SLES_15_64"),
        ("ubuntu", "UBUNTU_64"),
        ("debian", "DEBIAN_12_64"),
        ("centos", "CENTOS_9_64"),
        ("oracle linux", "ORACLE_LINUX_9_64"),
        ("photon", "VMWARE_PHOTON_64"),
        ("freebsd", "FREEBSD_14_64"),
        ("esxi", "VMKERNEL_8"),
    ):
        if word in words:
            return GuestOS(found)
    if "linux" in words:
        return GuestOS.OTHER_LINUX if old else GuestOS.OTHER_LINUX_64
    return GuestOS.OTHER if old else GuestOS.OTHER_64


def _text(guest_OS: GuestOS) -> str:
    return _TEXTS.get(guest_OS.value) or defaults_of(guest_OS).full_name


def _known_by(text: str) -> str:
    """A text without what releases of vSphere write differently; 64 bits are not told."""
    words = _SPACE.sub(" ", _BITS.sub(lambda found: "(32)" if found[1] == "32" else "", text.lower())).strip()
    return words.replace(" or later versions", "").replace(" or later", "").replace(" gnu/linux", "")


@cache
def _by_text() -> dict[str, GuestOS]:
    found: dict[str, GuestOS] = {}
    twice: set[str] = set()
    for each in GuestOS:
        key = _known_by(_text(each))
        if key in found:
            twice.add(key)
        found.setdefault(key, each)
    for key in twice:
        del found[key]
    return {**{text: GuestOS(value) for text, value in _OTHER_TEXTS.items()}, **found}
