"""What is kept apart from hosts, and what is recorded of machines, in an inventory file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from random import Random

import msgspec

from resphere.inventory.acquisitions import Acquisition
from resphere.inventory.host_parts import DirectPathDevice, EntropyPool, Mode, device_key
from resphere.inventory.model import Host
from resphere.providers.simulator.catalog import BASE_TIME
from resphere.server.exports.sections import Documents, Fields, Place, Section, fields_of, plain
from resphere.services.vcenter.host.entropy.external_pool import CAPACITY
from resphere.services.vcenter.host.hardware.direct_path_devices import chosen, require_mode
from resphere.services.vstats.acq_specs import (
    DEFAULT_INTERVAL,
    DEFAULT_LIFE,
    check_counters,
    check_interval,
    check_number,
    complete,
)
from resphere.services.vstats.resources import require_form
from resphere.uuids import new_uuid

LATEST = 2**53
"""The last moment that every client can read, in seconds since 1970."""


def _pools(documents: Documents) -> Iterator[Fields]:
    yield from (plain(each, without=("id",), host=each.id) for each in documents.of(EntropyPool))


def _pool(place: Place) -> Iterable[EntropyPool]:
    host = place.managed("host", Host)
    if host is None:
        return
    made = place.made(EntropyPool, {"id": host, **{key: place.given[key] for key in place.given if key != "host"}})
    if made is None:
        return
    if not 0 <= made.available <= CAPACITY:
        place.fault("available", f"must be from 0 to {CAPACITY} bytes, not {made.available}")
        return
    yield made


class _Device(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A network adapter of a host, such as ``0000:03:00.0``, and the mode that it was given."""

    host: str
    device: str
    mode: Mode


def _devices(documents: Documents) -> Iterator[Fields]:
    for each in documents.of(DirectPathDevice):
        yield plain(each, without=("id",), host=each.host, device=each.id.removeprefix(f"{each.host}/"))


def _device(place: Place) -> Iterable[DirectPathDevice]:
    id = place.managed("host", Host)
    given = place.made(_Device, place.given)
    host = place.documents.get(Host, id or "")
    if host is None or given is None:
        return
    if place.accepts("device", partial(require_mode, host, given.device, given.mode)):
        yield DirectPathDevice(id=device_key(host.id, given.device), host=host.id, mode=chosen(given.mode))


def _acquisitions(documents: Documents) -> Iterator[Fields]:
    yield from (plain(each) for each in documents.of(Acquisition))


def _acquisition(place: Place) -> Iterable[Acquisition]:
    begin = int(BASE_TIME.timestamp())
    before = len(place.documents.of(Acquisition))
    defaults = {
        "id": new_uuid(Random(f"acquisition {before}").randbytes),
        "interval": DEFAULT_INTERVAL,
        "created": begin,
        "expiration": begin + DEFAULT_LIFE,
    }
    made = place.made(Acquisition, {**defaults, **place.given})
    if made is None:
        return
    made = msgspec.structs.replace(made, resources=complete(made.resources))
    moments = {"created": made.created, "expiration": made.expiration}
    wrong = [field for field, seconds in moments.items() if not 0 <= seconds <= LATEST]
    for field in wrong:
        place.fault(field, f"must be from 0 to {LATEST} seconds since 1970, not {moments[field]}")
    # Machines that are gone stay named: what was recorded of them ends with the specification.
    checks: list[tuple[str, Callable[[], object]]] = [
        ("counters", partial(check_counters, made.counters)),
        ("interval", partial(check_interval, made.interval)),
        ("resources", partial(check_number, made.resources)),
        *(
            (f"resources[{at}]", partial(require_form, each, f"resources[{at}]"))
            for at, each in enumerate(made.resources)
        ),
    ]
    refused = [field for field, check in checks if not place.accepts(field, check)]
    if not refused and not wrong:
        yield made


ENTROPY_POOLS = Section(
    name="entropy_pools",
    classes=(EntropyPool,),
    fields=("host", "available"),
    write=_pools,
    read=_pool,
    taken=("host", "{0} is that of the host already"),
)
DIRECT_PATH_DEVICES = Section(
    name="direct_path_devices",
    classes=(DirectPathDevice,),
    fields=fields_of(_Device),
    write=_devices,
    read=_device,
    taken=("device", "{0} is that device of the host already"),
)
ACQUISITIONS = Section(
    name="acquisition_specs",
    classes=(Acquisition,),
    fields=fields_of(Acquisition),
    write=_acquisitions,
    read=_acquisition,
    taken=("id", "{0} has this id already"),
)
