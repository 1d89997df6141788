"""States as ``com.vmware.appliance.vcenter.settings.v1`` has them, and as profiles do."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import msgspec

from resphere.contract.errors import InvalidArgument
from resphere.contract.generated.appliance_vcenter_settings_v1 import DesiredState
from resphere.contract.generated.appliance_vcenter_settings_v1_config_components_applmgmt import (
    ApplianceManagement,
    ApplianceNetwork,
)
from resphere.contract.model import Struct
from resphere.rules.appliance_values import invalid
from resphere.services.checks.profiles.state import Management, Network, Places, State

APPLIANCE, AUTHENTICATION = "appliance", "authmgmt"
COMPONENTS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {APPLIANCE: ("management", "network"), AUTHENTICATION: ("authentication",)}
)
"""The components that can be applied here, by their fields in a desired state -> the parts that they are."""
PLACES = Places(
    management="desired_state.appliance",
    network="desired_state.appliance.network",
    authentication="desired_state.authmgmt",
)


def given_components(desired: DesiredState) -> tuple[str, ...]:
    """What a state is of."""
    return tuple(name for name in COMPONENTS if getattr(desired, name) is not None)


def unknown_components(desired: DesiredState) -> dict[str, InvalidArgument]:
    """The components that cannot be applied here, with their refusals: the inventory has operations of its own."""
    reason = "this server applies no such component, but {1}."
    return {
        name: invalid(f"desired_state.{name}", reason, " and ".join(COMPONENTS))
        for name in DesiredState.__struct_fields__
        if name not in COMPONENTS and getattr(desired, name) is not None
    }


def state_of(desired: DesiredState) -> State:
    """A desired state as profiles have it."""
    appliance = desired.appliance
    if appliance is None:
        return State(authentication=desired.authmgmt)
    network = appliance.network
    return State(
        management=made(Management, appliance, without=("network",)),
        network=None if network is None else made(Network, network),
        authentication=desired.authmgmt,
    )


def desired_of(state: State) -> DesiredState:
    """A state of profiles as far as the contract has it here."""
    management, network = state.management, state.network
    appliance = None
    if management is not None:
        appliance = made(ApplianceManagement, management)
        if network is not None:
            appliance = msgspec.structs.replace(appliance, network=made(ApplianceNetwork, network))
    return DesiredState(appliance=appliance, authmgmt=state.authentication)


def made(cls: Any, value: Struct, without: tuple[str, ...] = ()) -> Any:
    """A structure of the fields that another one has as well."""
    names = {field.name for field in msgspec.structs.fields(cls)} & set(value.__struct_fields__)
    return cls(**{name: getattr(value, name) for name in names.difference(without)})
