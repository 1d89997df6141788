"""The names that vSphere's SOAP and JSON APIs (VIM) have for guest systems: ``rhel8_64Guest`` for ``RHEL_8_64``."""

from __future__ import annotations

from functools import cache

from resphere.contract.generated.vcenter_vm import GuestOS

_IRREGULAR = {
    "ALMALINUX_64": "almalinux_64Guest",
    "CRXPOD_1": "crxPod1Guest",
    "CRXSYS_1": "crxSys1Guest",
    "OTHER_64": "otherGuest64",
    "ROCKYLINUX_64": "rockylinux_64Guest",
    "WINDOWS_HYPERV": "windowsHyperVGuest",
    "WINDOWS_SERVER_2019": "windows2019srv_64Guest",
    "WINDOWS_SERVER_2021": "windows2019srvNext_64Guest",
    "WINDOWS_SERVER_2025": "windows2022srvNext_64Guest",
    "WIN_XP_HOME": "winXPHomeGuest",
    "WIN_XP_PRO": "winXPProGuest",
    "WIN_XP_PRO_64": "winXPPro64Guest",
}


@cache
def vim_guest_id(guest_OS: GuestOS) -> str:
    """VIM's id of a guest system."""
    irregular = _IRREGULAR.get(guest_OS.value)
    if irregular is not None:
        return irregular
    first, *others = guest_OS.value.split("_")
    name = first.lower()
    for part in others:
        if part == "64":
            name += "_64" if name[-1].isdigit() else "64"
        else:
            name += part.lower() if part[0].isdigit() else part.capitalize()
    return f"{name}Guest"


@cache
def _by_vim_id() -> dict[str, GuestOS]:
    return {vim_guest_id(each).casefold(): each for each in GuestOS}


def guest_OS_of(vim_id: str) -> GuestOS | None:
    """The guest system that VIM calls so, in whichever case; ``None`` where there is none."""
    return _by_vim_id().get(vim_id.casefold())
