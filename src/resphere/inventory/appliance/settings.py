"""The settings that are kept, and how they are read and changed."""

from __future__ import annotations

from typing import ClassVar, TypeAlias, TypeVar, cast

import msgspec

from resphere.inventory.appliance.access import ConsoleCli, Dcui, Shell, Ssh
from resphere.inventory.appliance.accounts import LocalAccountPolicy, LocalAccounts
from resphere.inventory.appliance.clock import NtpServers, TimeSync, TimeZone
from resphere.inventory.appliance.desired_profile import DesiredProfile
from resphere.inventory.appliance.forwarding import LogForwarding
from resphere.inventory.appliance.health import HealthChecks
from resphere.inventory.appliance.log_collection import LogCollection
from resphere.inventory.appliance.networking import (
    DnsDomains,
    DnsServers,
    Firewall,
    HostName,
    Interfaces,
    NoProxy,
    Proxies,
)
from resphere.inventory.appliance.security import GlobalFips
from resphere.inventory.appliance.setting import Setting
from resphere.inventory.appliance.system_services import SystemServices
from resphere.inventory.appliance.tls import Tls
from resphere.inventory.appliance.update import UpdatePolicy
from resphere.replica.edit import Edit
from resphere.replica.table import Lookup, Table

S = TypeVar("S", bound=Setting)

AnySetting: TypeAlias = (
    ConsoleCli
    | Dcui
    | DesiredProfile
    | DnsDomains
    | DnsServers
    | Firewall
    | GlobalFips
    | HealthChecks
    | HostName
    | Interfaces
    | LocalAccountPolicy
    | LocalAccounts
    | LogCollection
    | LogForwarding
    | NoProxy
    | NtpServers
    | Proxies
    | Shell
    | Ssh
    | SystemServices
    | TimeSync
    | TimeZone
    | Tls
    | UpdatePolicy
)
"""All settings, each with the tag by which it is kept."""


class ApplianceSetting(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One setting that somebody has changed; ``id`` is its tag, such as ``global_fips``."""

    kind: ClassVar[str] = "appliance_setting"

    id: str
    value: AnySetting


APPLIANCE_SETTINGS = Table(cls=ApplianceSetting, sealed=("value",))
"""Sealed, all of them: some have passwords."""


def tag_of(cls: type[Setting]) -> str:
    """By what a setting is kept."""
    return str(cls.__struct_config__.tag)


def setting_of(among: Lookup, cls: type[S]) -> S:
    """The setting as it is; one that nobody has changed is that of a fresh appliance."""
    kept = among.get(ApplianceSetting, tag_of(cls))
    return cls() if kept is None else cast(S, kept.value)


def keep_setting(edit: Edit, value: AnySetting) -> None:
    """Keep the setting as ``value``; nothing is written where it is so already."""
    if setting_of(edit, type(value)) != value:
        edit.put(ApplianceSetting(id=tag_of(type(value)), value=value))
