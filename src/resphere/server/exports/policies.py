"""Storage policies and compute policies, in an inventory file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from random import Random

import msgspec

from resphere.inventory.compute_policies import ComputePolicy
from resphere.inventory.storage_policies import BUILT_IN, StoragePolicy
from resphere.inventory.tagging import Category, Tag, is_associable
from resphere.providers.simulator.inventory_faults import allowed
from resphere.rules.names import require_name
from resphere.server.exports.sections import Documents, Fields, Place, Section, fields_of, plain
from resphere.services.vcenter.compute.policies.policies import MOST
from resphere.services.vcenter.compute.policies.structures import FIELDS
from resphere.uuids import new_uuid


def _identity(place: Place, kind: str) -> str | None:
    """The id that is given, or one that follows from the name."""
    if "id" in place.given:
        return place.text("id")
    return new_uuid(Random(f"{kind}/{place.given.get('name')}").randbytes)


def _named(place: Place, what: str) -> bool:
    name = place.text("name")
    return name is not None and place.accepts("name", partial(require_name, name, what))


def _storage_policies(documents: Documents) -> Iterator[Fields]:
    yield from (plain(each) for each in documents.of(StoragePolicy))


def _storage_policy(place: Place) -> Iterable[StoragePolicy]:
    given = {**place.given, "id": _identity(place, "storage policy")}
    tags = given.get("tags")
    if isinstance(tags, list):
        found = [place.tag(f"tags[{index}]", tag) for index, tag in enumerate(tags)]
        if None in found:
            return
        given["tags"] = found
    made = place.made(StoragePolicy, given) if _named(place, "storage policy") and given["id"] is not None else None
    if made is None:
        return
    for own in BUILT_IN.values():
        if own.id == made.id or own.name == made.name:
            place.fault("name", f"{own.name} ({own.id}) is a storage policy that every vCenter has")
            return
    yield msgspec.structs.replace(
        made, datastore_types=tuple(sorted(set(made.datastore_types))), tags=tuple(sorted(set(made.tags)))
    )


def _compute_policies(documents: Documents) -> Iterator[Fields]:
    yield from (plain(each) for each in documents.of(ComputePolicy))


def _compute_policy(place: Place) -> Iterable[ComputePolicy]:
    given = {**place.given, "id": _identity(place, "compute policy")}
    for field, type in (("vm_tag", "VirtualMachine"), ("host_tag", "HostSystem")):
        if field in given or field == "vm_tag":
            given[field] = _tag_for(place, field, type)
            if given[field] is None:
                return
    made = place.made(ComputePolicy, given) if _named(place, "compute policy") and given["id"] is not None else None
    if made is None or not _fits(place, made):
        return
    if len(place.documents.of(ComputePolicy)) >= MOST:
        place.fault("", f"there are {MOST} compute policies at most")
        return
    yield msgspec.structs.replace(made, vm_capabilities=tuple(sorted(set(made.vm_capabilities))))


def _tag_for(place: Place, field: str, type: str) -> str | None:
    """The id of a tag that objects of the type may have."""
    id = place.tag(field, place.given.get(field))
    tag = place.documents.get(Tag, id or "")
    category = place.documents.get(Category, tag.category) if tag is not None else None
    if category is not None and not is_associable(category, type):
        place.fault(field, f"the category {category.name} is not for objects of the type {type}")
        return None
    return id


_OWN_FIELDS = ("host_tag", "strictness", "number_of_hosts", "vm_capabilities")


def _fits(place: Place, policy: ComputePolicy) -> bool:
    """Whether the policy has the fields of its capability."""
    fields = dict(FIELDS[policy.capability])
    wrong = False
    for field in _OWN_FIELDS:
        if field not in fields and getattr(policy, field) not in (None, ()):
            place.fault(field, f"is no field of the capability; {allowed(['vm_tag', *fields])}")
            wrong = True
        elif fields.get(field) and getattr(policy, field) is None:
            place.fault(field, "must be set")
            wrong = True
    if policy.number_of_hosts is not None and policy.number_of_hosts < 1:
        place.fault("number_of_hosts", f"must be at least 1, not {policy.number_of_hosts}")
        wrong = True
    if policy.selector and "vm_selector" not in fields:
        place.fault("selector", "must not be true: policies of the capability are made by a tag")
        wrong = True
    return not wrong


STORAGE_POLICIES = Section(
    name="storage_policies",
    classes=(StoragePolicy,),
    fields=fields_of(StoragePolicy),
    write=_storage_policies,
    read=_storage_policy,
    taken=("name", "{0} has this name or id already"),
)
COMPUTE_POLICIES = Section(
    name="compute_policies",
    classes=(ComputePolicy,),
    fields=fields_of(ComputePolicy),
    write=_compute_policies,
    read=_compute_policy,
    taken=("name", "{0} has this name or id already"),
)
