"""The structures of parameters, of which the contract says only that there are several.

They tell of a package what can be chosen, and a deployment what is chosen; ``type`` is the structure's own name.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

import msgspec

from resphere.contract import model as m
from resphere.contract.errors import InvalidArgument, message

NAMES = "com.vmware.vcenter.ovf."
Values = tuple[str, ...]


class DeploymentOption(m.Struct, frozen=True, kw_only=True):
    """A configuration of a package."""

    __vapi_name__ = f"{NAMES}deployment_option"
    key: str | None = None
    label: str | None = None
    description: str | None = None
    default_choice: bool | None = None


class DeploymentOptionParams(m.Struct, frozen=True, kw_only=True):
    """The configurations of a package, and the one that is chosen."""

    __vapi_name__ = f"{NAMES}deployment_option_params"
    type: str | None = None
    deployment_options: tuple[DeploymentOption, ...] | None = None
    selected_key: str | None = None


class ExtraConfig(m.Struct, frozen=True, kw_only=True):
    """An advanced setting of a machine."""

    __vapi_name__ = f"{NAMES}extra_config"
    key: str | None = None
    value: str | None = None
    virtual_system_id: str | None = None


class ExtraConfigParams(m.Struct, frozen=True, kw_only=True):
    """The advanced settings of a package."""

    __vapi_name__ = f"{NAMES}extra_config_params"
    type: str | None = None
    extra_configs: tuple[ExtraConfig, ...] | None = None
    exclude_keys: Values | None = None
    include_keys: Values | None = None


class IpAllocationParams(m.Struct, frozen=True, kw_only=True):
    """How addresses come to the machines: schemes ``DHCP`` and ``OVF_ENVIRONMENT``, protocols ``IPV4`` and ``IPV6``."""

    __vapi_name__ = f"{NAMES}ip_allocation_params"
    type: str | None = None
    supported_allocation_scheme: Values | None = None
    supported_ip_allocation_policy: Values | None = None
    ip_allocation_policy: str | None = None
    supported_ip_protocol: Values | None = None
    ip_protocol: str | None = None


class Property(m.Struct, frozen=True, kw_only=True):
    """A property that a deployment may set."""

    __vapi_name__ = f"{NAMES}property"
    class_id: str | None = None
    id: str | None = None
    instance_id: str | None = None
    category: str | None = None
    ui_optional: bool | None = None
    label: str | None = None
    description: str | None = None
    type: str | None = None
    value: str | None = None


class PropertyParams(m.Struct, frozen=True, kw_only=True):
    """The properties of a package."""

    __vapi_name__ = f"{NAMES}property_params"
    type: str | None = None
    properties: tuple[Property, ...] | None = None


class ScaleOutGroup(m.Struct, frozen=True, kw_only=True):
    """A machine of which there may be several."""

    __vapi_name__ = f"{NAMES}scale_out_group"
    id: str | None = None
    description: str | None = None
    instance_count: Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)] | None = None
    minimum_instance_count: int | None = None
    maximum_instance_count: int | None = None


class ScaleOutParams(m.Struct, frozen=True, kw_only=True):
    """How many there are of each."""

    __vapi_name__ = f"{NAMES}scale_out_params"
    type: str | None = None
    groups: tuple[ScaleOutGroup, ...] | None = None


class SizeParams(m.Struct, frozen=True, kw_only=True):
    """How large a package is, and its disks, in bytes."""

    __vapi_name__ = f"{NAMES}size_params"
    type: str | None = None
    approximate_download_size: m.Long | None = None
    approximate_flat_deployment_size: m.Long | None = None
    approximate_sparse_deployment_size: m.Long | None = None
    variable_disk_size: bool | None = None


class UnknownSection(m.Struct, frozen=True, kw_only=True):
    """A section that means nothing here; ``tag`` is ``{namespace}name``."""

    __vapi_name__ = f"{NAMES}unknown_section"
    tag: str
    info: str


class UnknownSectionParams(m.Struct, frozen=True, kw_only=True):
    """The sections that mean nothing here."""

    __vapi_name__ = f"{NAMES}unknown_section_params"
    type: str | None = None
    unknown_sections: tuple[UnknownSection, ...] | None = None


Params = (
    DeploymentOptionParams
    | ExtraConfigParams
    | IpAllocationParams
    | PropertyParams
    | ScaleOutParams
    | SizeParams
    | UnknownSectionParams
)
HEEDED: tuple[type[DeploymentOptionParams | PropertyParams | ScaleOutParams], ...] = (
    DeploymentOptionParams,
    PropertyParams,
    ScaleOutParams,
)
"""The structures by which a deployment chooses something."""
MARKS = {"deployment_options": 0, "selected_key": 0, "properties": 1, "groups": 2}
"""Members that only one of them has, for structures that do not say what they are."""


class Chosen(msgspec.Struct, frozen=True):
    """What a deployment chooses: a configuration, values by the full keys of properties, numbers by machines."""

    option: str | None
    properties: dict[str, str]
    instances: dict[str, int]


def chosen(given: Iterable[m.Dynamic]) -> Chosen:
    """What the parameters of a deployment choose; structures that choose nothing here are passed over.

    A structure says what it is by ``type``, as ``/api`` and the bindings have it, by ``@class``, as ``/rest`` has it,
    or else by its members.

    :raises InvalidArgument: a member is not of its type; naming it.
    """
    option: str | None = None
    properties: dict[str, str] = {}
    instances: dict[str, int] = {}
    for number, each in enumerate(given):
        params = _structure(each, f"deployment_spec.additional_parameters[{number}]")
        if isinstance(params, DeploymentOptionParams):
            option = params.selected_key or option
        elif isinstance(params, PropertyParams):
            properties.update({_full_key(one): one.value or "" for one in params.properties or () if one.id})
        elif isinstance(params, ScaleOutParams):
            counted = {one.id: one.instance_count for one in params.groups or ()}
            instances.update({id: count for id, count in counted.items() if id and count is not None})
    return Chosen(option, properties, instances)


def _full_key(given: Property) -> str:
    """``class.id.instance``, of which a client may have written all into ``id``."""
    return ".".join(part for part in (given.class_id, given.id, given.instance_id) if part)


def _structure(given: m.Dynamic, where: str) -> m.Struct | None:
    cls = _class_of(given)
    if cls is None:
        return None
    known = {field.name for field in msgspec.structs.fields(cls)}
    try:
        return msgspec.convert({name: value for name, value in given.items() if name in known}, cls)
    except msgspec.ValidationError as error:
        reason = str(error).replace("`$.", f"`{where}.").replace("`$`", f"`{where}`")
        raise InvalidArgument(message("resphere.ovf.parameters", "{0}: {1}.", where, reason)) from None


def _class_of(given: m.Dynamic) -> type[m.Struct] | None:
    for word in (given.get("@class"), given.get("type")):
        if isinstance(word, str) and word:
            name = word.removeprefix(NAMES).replace("_", "").casefold()
            return next((cls for cls in HEEDED if cls.__name__.casefold() == name), None)
    marks: list[Any] = [HEEDED[number] for name, number in MARKS.items() if name in given]
    return marks[0] if marks else None
