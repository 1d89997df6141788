"""What profiles tell: the contract's structures of vCenter's settings, and what else is kept here under the names that
the contract has for it elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, TypeVar, get_args

import msgspec

from resphere.contract.generated.appliance import HealthCheckSettings, Services
from resphere.contract.generated.appliance_local_accounts import Policy
from resphere.contract.generated.appliance_system_security import GlobalFips
from resphere.contract.generated.appliance_vcenter_settings_v1_config_components_applmgmt import (
    ApplianceManagement,
    ApplianceNetwork,
)
from resphere.contract.generated.appliance_vcenter_settings_v1_config_components_authmanagement import (
    AuthenticationManagement,
)
from resphere.contract.model import Secret, Struct
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica
from resphere.replica.table import Stored

T = TypeVar("T", bound=Stored)
S = TypeVar("S", bound=Struct)


class Management(ApplianceManagement, frozen=True, kw_only=True):
    """All but the network. ``services`` are states by name; ``local_accounts_policy`` has what
    ``user_account_settings`` has not."""

    services: dict[str, Services.State] | None = None
    local_accounts_policy: Policy.Info | None = None
    global_fips: GlobalFips.Info | None = None
    health_check_settings: HealthCheckSettings.SettingSpec | None = None


class Network(ApplianceNetwork, frozen=True, kw_only=True):
    """The network."""

    no_proxy: tuple[str, ...] | None = None
    ipv6_enabled: bool | None = None


class State(msgspec.Struct, frozen=True, kw_only=True):
    """What is, or is to be. A field that is unset is left as it is; one that is set is whole: what a list does not have
    is not to be."""

    management: Management | None = None
    network: Network | None = None
    authentication: AuthenticationManagement | None = None

    @property
    def parts(self) -> tuple[str, ...]:
        """The names of the fields that are set."""
        return tuple(name for name in self.__struct_fields__ if getattr(self, name) is not None)


class Places(msgspec.Struct, frozen=True, kw_only=True):
    """By what name refusals know the parts."""

    management: str
    network: str
    authentication: str


class Among(Protocol):
    """Where settings are read: an inventory, or what an edit makes of one."""

    def get(self, cls: type[T], id: str, /) -> T | None:
        """The object of that id."""

    def all(self, cls: type[T], /) -> Mapping[str, T]:
        """All objects of the class, by id."""


class Planned:
    """The inventory as an edit leaves it so far."""

    def __init__(self, replica: Replica, edit: Edit) -> None:
        self._replica = replica
        self._edit = edit

    def get(self, cls: type[T], id: str, /) -> T | None:
        """The object of that id."""
        return self._edit.get(cls, id)

    def all(self, cls: type[T], /) -> Mapping[str, T]:
        """All objects of the class, by id."""
        found = dict(self._replica.all(cls))
        for written, id in self._edit.written():
            if written is cls:
                present = self._edit.get(cls, id)
                if present is None:
                    found.pop(id, None)
                else:
                    found[id] = present
        return found


def without_secrets(value: S) -> S:
    """A structure without the passwords in it."""
    changed = {
        field.name: None if Secret in get_args(field.type) else _without(getattr(value, field.name))
        for field in msgspec.structs.fields(value)
    }
    return msgspec.structs.replace(value, **changed)


def _without(value: object) -> object:
    if isinstance(value, tuple):
        return tuple(map(_without, value))
    return without_secrets(value) if isinstance(value, Struct) else value
