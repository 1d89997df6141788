"""Prototypes of a vApp as the machines and vApps that there are of them."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from resphere.contract.errors import message
from resphere.ovf.issues import BadInput, InputIssue, short
from resphere.ovf.model import ScaleOut, VirtualSystem, VirtualSystemCollection

MOST_PARTS = 1000
"""How many machines and vApps a package may become by instances; more are no vApp but a mistake."""


def scale_out_groups(content: VirtualSystem | VirtualSystemCollection) -> list[ScaleOut]:
    """All prototypes, in their order."""
    if isinstance(content, VirtualSystem):
        return []
    return [*content.scale_out, *(group for each in content.content for group in scale_out_groups(each))]


def scaled(
    content: VirtualSystem | VirtualSystemCollection, option: str | None, instances: Mapping[str, int]
) -> VirtualSystem | VirtualSystemCollection:
    """``content`` with as many of each prototype as ``instances`` say by its id, or the descriptor where they do not.

    They are called ``web-0``, ``web-1`` and so on, as DSP0243 has it.

    :raises BadInput: there is no such prototype, it cannot be there so often, or the machines get too many.
    """
    groups = {each.id: each for each in scale_out_groups(content)}
    issues = [_refusal(groups.get(id), id, option, count) for id, count in instances.items()]
    found = [each for each in issues if each is not None]
    if not found and _parts(content, option, instances) > max(MOST_PARTS, _parts(content, None, None)):
        why = message("resphere.ovf.parts", "A package becomes {0} machines and vApps at most.", MOST_PARTS)
        found = [InputIssue("instance_count", "", why)]
    if found:
        raise BadInput(found)
    return _scaled(content, option, instances)


def _refusal(group: ScaleOut | None, id: str, option: str | None, count: int) -> InputIssue | None:
    if group is None:
        why = message("resphere.ovf.no_group", "There is no group {0} of which there can be several.", short(id))
        return InputIssue("instance_count", short(id), why)
    allowed = group.count(option)
    if allowed.minimum <= count and (allowed.maximum is None or count <= allowed.maximum):
        return None
    why = message(
        "resphere.ovf.instance_count",
        "The number of instances of {0} must be from {1} to {2}, not {3}.",
        short(id),
        allowed.minimum,
        "any" if allowed.maximum is None else allowed.maximum,
        count,
    )
    return InputIssue("instance_count", str(count), why)


def _count(parent: VirtualSystemCollection, id: str, option: str | None, instances: Mapping[str, int]) -> int | None:
    """How many there are of a part of a vApp; ``None`` where it is no prototype, but itself."""
    group = next((each for each in parent.scale_out if each.id == id), None)
    return None if group is None else instances.get(id, group.count(option).default)


def _parts(
    content: VirtualSystem | VirtualSystemCollection, option: str | None, instances: Mapping[str, int] | None
) -> int:
    """How many machines and vApps there will be; without ``instances`` how many stand in the descriptor."""
    if isinstance(content, VirtualSystem):
        return 1
    total = 1
    for each in content.content:
        count = None if instances is None else _count(content, each.id, option, instances)
        total += (1 if count is None else count) * _parts(each, option, instances)
    return total


def _scaled(
    content: VirtualSystem | VirtualSystemCollection, option: str | None, instances: Mapping[str, int]
) -> VirtualSystem | VirtualSystemCollection:
    if isinstance(content, VirtualSystem):
        return content
    made: list[VirtualSystem | VirtualSystemCollection] = []
    names: dict[str, list[str]] = {}
    for each in content.content:
        inner = _scaled(each, option, instances)
        count = _count(content, each.id, option, instances)
        replicas = (
            [inner]
            if count is None
            else [msgspec.structs.replace(inner, id=f"{each.id}-{number}") for number in range(count)]
        )
        names[each.id] = [replica.id for replica in replicas]
        made += replicas
    startup = [msgspec.structs.replace(item, id=id) for item in content.startup for id in names.get(item.id, [item.id])]
    return msgspec.structs.replace(content, content=tuple(made), startup=tuple(startup))
