"""What belongs to guests, in an inventory file: customization specifications, customizations, starts, data sets."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from random import Random

import msgspec

from resphere.contract.generated.vcenter_guest import CustomizationSpec
from resphere.contract.generated.vcenter_vm import DataSets
from resphere.inventory.customization import CustomizationItem, GuestCustomization
from resphere.inventory.data_sets import DataSet, DataSetEntry, data_set_id, entry_id
from resphere.inventory.guest_reboot import GuestReboot
from resphere.inventory.model import Snapshot, UnregisteredVm, VirtualMachine
from resphere.providers.simulator.catalog import BASE_TIME
from resphere.rules.guests.customization_specs import require_sound
from resphere.server.exports.sections import Documents, Fields, Place, Section, fields_of, plain
from resphere.services.vcenter.guest.customization_specs import require_name
from resphere.services.vcenter.vm.data_sets.data_sets import require_description
from resphere.services.vcenter.vm.data_sets.data_sets import require_name as require_data_set_name
from resphere.services.vcenter.vm.data_sets.entries import require_sizes, size


def _specs(documents: Documents) -> Iterator[Fields]:
    yield from (plain(each, without=("id",), name=each.id) for each in documents.of(CustomizationItem))


def _spec(place: Place) -> Iterable[CustomizationItem]:
    name = place.text("name")
    if name is None or not place.accepts("name", partial(require_name, name)):
        return
    given = {
        "description": "",
        # Another after each change: what nobody has changed yet needs one that nothing can be learnt from.
        "fingerprint": Random(f"customization spec {name}").randbytes(8).hex(),
        "last_modified": BASE_TIME.isoformat(),
        **place.given,
        "id": name,
    }
    del given["name"]
    made = place.made(CustomizationItem, given)
    if made is not None and _sound(place, made.spec):
        yield made


def _sound(place: Place, spec: CustomizationSpec) -> bool:
    return place.accepts("", partial(require_sound, spec))


def _customizations(documents: Documents) -> Iterator[Fields]:
    yield from (plain(each, without=("id",), vm=each.id) for each in documents.of(GuestCustomization))


def _customization(place: Place) -> Iterable[GuestCustomization]:
    vm = place.managed("vm", VirtualMachine, UnregisteredVm)
    if vm is None:
        return
    made = place.made(GuestCustomization, {**_without(place.given, "vm"), "id": vm})
    if made is not None and (made.spec is None or _sound(place, made.spec)):
        yield made


def _starts(documents: Documents) -> Iterator[Fields]:
    yield from (plain(each, without=("id",), vm=each.id) for each in documents.of(GuestReboot))


def _start(place: Place) -> Iterable[GuestReboot]:
    vm = place.managed("vm", VirtualMachine)
    made = place.made(GuestReboot, {**_without(place.given, "vm"), "id": vm}) if vm is not None else None
    yield from () if made is None else (made,)


class _DataSet(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A data set with its entries, of the VM or snapshot ``owner``."""

    owner: str
    name: str
    description: str = ""
    host: DataSets.Access = DataSets.Access.READ_WRITE
    guest: DataSets.Access = DataSets.Access.READ_WRITE
    omitted: bool = False
    entries: dict[str, str] = {}


def _data_sets(documents: Documents) -> Iterator[Fields]:
    entries: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for entry in sorted(documents.of(DataSetEntry), key=lambda each: each.key):
        entries[entry.data_set][entry.key] = entry.value
    for each in documents.of(DataSet):
        made = _DataSet(
            owner=each.owner,
            name=each.name,
            description=each.description,
            host=each.host,
            guest=each.guest,
            omitted=each.omitted,
            entries=entries[each.id],
        )
        yield msgspec.to_builtins(made)


def _data_set(place: Place) -> Iterable[DataSet | DataSetEntry]:
    owner = place.managed("owner", VirtualMachine, Snapshot, UnregisteredVm)
    given = place.made(_DataSet, place.given)
    if owner is None or given is None or not _allowed(place, given):
        return
    made = data_set_id(owner, given.name)
    yield DataSet(
        id=made,
        owner=owner,
        machine=_machine_of(place, owner),
        name=given.name,
        description=given.description,
        host=given.host,
        guest=given.guest,
        omitted=given.omitted,
        used=sum(size(key) + size(value) for key, value in given.entries.items()),
    )
    for key, value in given.entries.items():
        yield DataSetEntry(id=entry_id(made, key), data_set=made, key=key, value=value)


def _allowed(place: Place, given: _DataSet) -> bool:
    return (
        place.accepts("name", partial(require_data_set_name, given.name))
        and place.accepts("description", partial(require_description, given.description))
        and all(place.accepts("entries", partial(require_sizes, *entry)) for entry in given.entries.items())
    )


def _machine_of(place: Place, owner: str) -> str:
    """The id of the machine that the owner of a data set is, or is a snapshot of."""
    found = place.reading.objects[owner]
    if isinstance(found, Snapshot):
        return found.parent or ""
    return found.machine.id if isinstance(found, UnregisteredVm) else owner


def _without(given: Mapping[str, object], field: str) -> Fields:
    return {name: value for name, value in given.items() if name != field}


CUSTOMIZATION_SPECS = Section(
    name="customization_specs",
    classes=(CustomizationItem,),
    fields=fields_of(CustomizationItem, without=("id",), also=("name",)),
    write=_specs,
    read=_spec,
    taken=("name", "{0} has this name already"),
)
CUSTOMIZATIONS = Section(
    name="guest_customizations",
    classes=(GuestCustomization,),
    fields=fields_of(GuestCustomization, without=("id",), also=("vm",)),
    write=_customizations,
    read=_customization,
    taken=("vm", "{0} is that of the VM already"),
)
STARTS = Section(
    name="guest_starts",
    classes=(GuestReboot,),
    fields=fields_of(GuestReboot, without=("id",), also=("vm",)),
    write=_starts,
    read=_start,
    taken=("vm", "{0} is that of the VM already"),
)
DATA_SETS = Section(
    name="data_sets",
    classes=(DataSet, DataSetEntry),
    fields=fields_of(_DataSet),
    write=_data_sets,
    read=_data_set,
    taken=("name", "{0} has this name and owner already"),
)
