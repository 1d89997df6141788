"""What is in a package, and what can be chosen of it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import cast

import msgspec

from resphere.contract.errors import InvalidArgument
from resphere.contract.generated import ids
from resphere.contract.generated.vcenter_ovf import LibraryItem as Contract
from resphere.contract.model import Dynamic
from resphere.inventory.content.items import LibraryItem
from resphere.ovf.issues import BadPackage
from resphere.ovf.model import Descriptor, IpAssignment, VirtualSystemCollection
from resphere.ovf.property_types import type_of
from resphere.ovf.resolving import counts
from resphere.services.call import Call
from resphere.services.registry import implements
from resphere.services.vcenter.ovf.library_item.packages import contents_of, eulas_of, package_of, require_target
from resphere.services.vcenter.ovf.library_item.parameters import (
    DeploymentOption,
    DeploymentOptionParams,
    ExtraConfig,
    ExtraConfigParams,
    IpAllocationParams,
    Params,
    Property,
    PropertyParams,
    ScaleOutGroup,
    ScaleOutParams,
    SizeParams,
    UnknownSection,
    UnknownSectionParams,
)

SCHEMES = {"dhcp": "DHCP", "ovfenv": "OVF_ENVIRONMENT"}
PROTOCOLS = {"ipv4": "IPV4", "ipv6": "IPV6"}
POLICIES = {"DHCP": ("DHCP",), "OVF_ENVIRONMENT": ("STATIC_MANUAL",)}
"""What policies there are for each scheme: this server has no pools of addresses."""


@implements(Contract.filter)
async def filter(
    call: Call, ovf_library_item_id: ids.ContentLibraryItemId, target: Contract.DeploymentTarget
) -> Contract.OvfSummary:
    """What the package says of itself, its agreements, networks and storage groups, and what a deployment may choose.

    :raises InvalidArgument: the item is no package, its descriptor is wrong, or the folder is not for VMs.
    :raises NotFound: there is no such item, or an object that the target names.
    :raises ResourceInaccessible: the package has no descriptor.
    """
    package = await package_of(call, ovf_library_item_id)
    require_target(call, target)
    try:
        descriptor = (await package.read()).descriptor
    except BadPackage as bad:
        raise InvalidArgument(*(issue.message for issue in bad.issues)) from None
    return await asyncio.to_thread(summary, package.item, descriptor)


def summary(item: LibraryItem, descriptor: Descriptor) -> Contract.OvfSummary:
    """A package as the operation shows it."""
    content = descriptor.content
    return Contract.OvfSummary(
        name=content.name or content.id or item.name,
        annotation=content.annotation or None,
        EULAs=eulas_of(descriptor),
        networks=tuple([each.name for each in descriptor.networks]),
        storage_groups=tuple([each.id for each in descriptor.storage_groups]),
        additional_params=tuple(
            [
                cast(Dynamic, msgspec.structs.replace(each, type=type(each).__name__))
                for each in params_of(item, descriptor)
            ]
        ),
    )


def params_of(item: LibraryItem, descriptor: Descriptor) -> Iterator[Params]:
    """The structures of what there is to choose or to know, where there is anything."""
    if descriptor.options:
        default = descriptor.default_option
        options = [
            DeploymentOption(
                key=each.id, label=each.label, description=each.description, default_choice=each.id == default
            )
            for each in descriptor.options
        ]
        yield DeploymentOptionParams(deployment_options=tuple(options), selected_key=default)
    extra = tuple(extra_config_of(descriptor))
    if extra:
        yield ExtraConfigParams(extra_configs=extra)
    assignment = next((each.ip_assignment for each in contents_of(descriptor) if each.ip_assignment is not None), None)
    if assignment is not None:
        yield ip_allocation(assignment)
    properties = tuple(properties_of(descriptor))
    if properties:
        yield PropertyParams(properties=properties)
    groups = tuple(groups_of(descriptor))
    if groups:
        yield ScaleOutParams(groups=groups)
    yield sizes(item, descriptor)
    unknown = [
        *descriptor.unknown_sections,
        *(one for each in contents_of(descriptor) for one in each.unknown_sections),
    ]
    if unknown:
        yield UnknownSectionParams(
            unknown_sections=tuple([UnknownSection(tag=each.tag, info=each.info) for each in unknown])
        )


def extra_config_of(descriptor: Descriptor) -> Iterator[ExtraConfig]:
    """The advanced settings of the package's machines, in its default configuration."""
    for system in descriptor.systems:
        for each in system.hardware.extra_config if system.hardware is not None else ():
            if counts(each.configurations, descriptor.default_option):
                yield ExtraConfig(key=each.key, value=each.value, virtual_system_id=system.id)


def ip_allocation(assignment: IpAssignment) -> IpAllocationParams:
    """How addresses may come to the machines; the first of each is what there is when nothing is chosen."""
    schemes = [SCHEMES[each.casefold()] for each in assignment.schemes if each.casefold() in SCHEMES]
    protocols = [PROTOCOLS[each.casefold()] for each in assignment.protocols if each.casefold() in PROTOCOLS]
    policies = [policy for scheme in schemes or ["DHCP"] for policy in POLICIES[scheme]]
    return IpAllocationParams(
        supported_allocation_scheme=tuple(schemes),
        supported_ip_allocation_policy=tuple(policies),
        ip_allocation_policy=policies[0],
        supported_ip_protocol=tuple(protocols),
        ip_protocol=(protocols or ["IPV4"])[0],
    )


def properties_of(descriptor: Descriptor) -> Iterator[Property]:
    """The properties that a deployment may set, with their values in the default configuration, no passwords."""
    for content in contents_of(descriptor):
        for product in content.products:
            for each in product.properties:
                if not each.user_configurable:
                    continue
                values = {one.configuration: one.value for one in reversed(each.values)}
                default = values.get(descriptor.default_option, values.get(None, each.value))
                yield Property(
                    class_id=product.class_id,
                    id=each.key,
                    instance_id=product.instance_id,
                    category=each.category,
                    ui_optional=False,
                    label=each.label,
                    description=each.description,
                    type=type_of(each).text,
                    value="" if each.password else default,
                )


def groups_of(descriptor: Descriptor) -> Iterator[ScaleOutGroup]:
    """The machines of which there may be several."""
    for content in contents_of(descriptor):
        for each in content.scale_out if isinstance(content, VirtualSystemCollection) else ():
            count = each.count(descriptor.default_option)
            yield ScaleOutGroup(
                id=each.id,
                description=each.description,
                instance_count=count.default,
                minimum_instance_count=count.minimum,
                maximum_instance_count=count.maximum,
            )


def sizes(item: LibraryItem, descriptor: Descriptor) -> SizeParams:
    """How large the package is, and its disks once they are deployed; a disk whose capacity is a property's is left
    out."""
    fixed = [each for each in descriptor.disks if each.capacity.isdecimal()]
    return SizeParams(
        approximate_download_size=item.size_bytes,
        approximate_flat_deployment_size=sum(int(each.capacity) * each.unit_bytes for each in fixed),
        approximate_sparse_deployment_size=sum(each.populated_size or 0 for each in descriptor.disks),
        variable_disk_size=len(fixed) < len(descriptor.disks),
    )
