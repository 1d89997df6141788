"""The structures of policies, of which the contract says only that each capability has its own."""

from __future__ import annotations

from typing import Annotated, Any, cast

import msgspec

from resphere.contract import model as m
from resphere.contract.errors import InvalidArgument, message
from resphere.contract.generated import ids
from resphere.contract.generated.vcenter_compute_policies import ManagedBy
from resphere.inventory.compute_policies import Capability, Strictness

Tag = ids.CisTaggingTagId
MOST_HOSTS = 2**31 - 1


class TagNameSpec(m.Struct, frozen=True, kw_only=True):
    """A tag by its name and that of its category."""

    __vapi_name__ = "com.vmware.vcenter.compute.policies.tag_name_spec"
    category_name: str
    tag_name: str


class TagSpec(m.Struct, frozen=True, kw_only=True):
    """A tag, by its id or by names."""

    __vapi_name__ = "com.vmware.vcenter.compute.policies.tag_spec"
    tag_id: ids.CisTaggingTagId | None = None
    tag_name_spec: TagNameSpec | None = None


class ObjectSelectorSpec(m.Struct, frozen=True, kw_only=True):
    """What a policy is for: the objects with a tag."""

    __vapi_name__ = "com.vmware.vcenter.compute.policies.object_selector_spec"
    tag: TagSpec | None = None


class Given(m.Struct, frozen=True, kw_only=True):
    """A spec of any capability, as far as it has these fields."""

    __vapi_name__ = "com.vmware.vcenter.compute.policies.create_spec"
    capability: Capability
    name: str
    description: str
    managed_by: ManagedBy | None = None
    vm_tag: ids.CisTaggingTagId | None = None
    vm_selector: ObjectSelectorSpec | None = None
    host_tag: ids.CisTaggingTagId | None = None
    strictness: Strictness | None = None
    number_of_hosts: Annotated[int, msgspec.Meta(ge=1, le=MOST_HOSTS)] | None = None
    vm_capabilities: frozenset[str] | None = None


COMMON = ("capability", "name", "description", "managed_by")
TAG = (("vm_tag", True),)
TAG_OR_SELECTOR = (("vm_tag", False), ("vm_selector", False))
WITH_HOST = (*TAG, ("host_tag", True), ("strictness", False))
FIELDS: dict[Capability, tuple[tuple[str, bool], ...]] = {
    Capability.VM_HOST_AFFINITY: WITH_HOST,
    Capability.VM_HOST_ANTI_AFFINITY: WITH_HOST,
    Capability.VM_VM_AFFINITY: TAG_OR_SELECTOR,
    Capability.VM_VM_ANTI_AFFINITY: TAG_OR_SELECTOR,
    Capability.DISABLE_DRS_VMOTION: TAG,
    Capability.EVACUATION_VMOTION: TAG,
    Capability.EVACUATION_RESTART: TAG,
    Capability.ANTI_AFFINITY_WITH_VCLS: TAG,
    Capability.SPAN_LIMIT: (*TAG, ("number_of_hosts", True)),
    Capability.SCALE_IN_IGNORE: (*TAG, ("vm_capabilities", True)),
}
"""Capability -> the fields that its policies have besides the common ones, each with whether it is required."""

_TYPES: dict[str, Any] = {
    "host_tag": Tag,
    "strictness": Strictness,
    "number_of_hosts": int,
    "vm_capabilities": frozenset[str],
}
"""Field -> its type where it is set."""


def _info(capability: Capability, selector: bool) -> type[m.Struct]:
    """The structure that tells of a policy of the capability, made by a selector or by a tag."""
    common: list[Any] = [("name", str), ("description", str), ("capability", Capability)]
    own: list[Any] = []
    for name, required in FIELDS[capability]:
        if name not in ("vm_tag", "vm_selector"):
            own.append((name, _TYPES[name]) if required else (name, _TYPES[name] | None, None))
    subject = ("vm_selector", ObjectSelectorSpec) if selector else ("vm_tag", Tag)
    made = msgspec.defstruct(
        "Info",
        [subject, *own, *common, ("managed_by", ManagedBy | None, None)],
        bases=(m.Struct,),
        namespace={"__vapi_name__": f"{capability}.info{'_V2' if selector else ''}"},
        frozen=True,
        kw_only=True,
    )
    return cast(type[m.Struct], made)


INFOS = {capability: _info(capability, False) for capability in Capability}
SELECTED_INFOS = {
    capability: _info(capability, True) for capability, fields in FIELDS.items() if fields is TAG_OR_SELECTOR
}


def given_spec(spec: m.Dynamic) -> Given:
    """The spec of a new policy.

    :raises InvalidArgument: a field is missing, of a wrong type, or not one of the capability's.
    """
    capability = spec.get("capability")
    if capability not in set(Capability):
        raise InvalidArgument(
            message(
                "resphere.compute_policy.capability",
                "spec.capability: must be one of {0}.",
                ", ".join(sorted(Capability)),
            )
        )
    own = dict(FIELDS[Capability(capability)])
    for name in spec:
        if name not in own and name not in COMMON:
            allowed = ", ".join(sorted([*COMMON, *own]))
            raise _wrong(f"spec.{name}", f"is no field of the capability; allowed are {allowed}")
    try:
        made = msgspec.convert(spec, Given)
    except msgspec.ValidationError as error:
        raise _wrong("spec", str(error).replace("`$.", "`spec.")) from None
    for name, required in own.items():
        if required and getattr(made, name) is None:
            raise _wrong(f"spec.{name}", "must be set")
    if "vm_selector" in own and (made.vm_tag is None) == (made.vm_selector is None):
        raise _wrong("spec", "exactly one of vm_tag and vm_selector must be set")
    return made


def _wrong(where: str, why: str) -> InvalidArgument:
    return InvalidArgument(message("resphere.compute_policy.spec", "{0}: {1}.", where, why))
