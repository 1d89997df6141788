"""Hosts that an operation names, all in the datacenter of what it is about."""

from __future__ import annotations

from collections.abc import Iterable

from resphere.contract.errors import InvalidArgument, message
from resphere.inventory.mentions import identified, named
from resphere.inventory.model import Host, ManagedObject
from resphere.inventory.relations import datacenter_of
from resphere.services.call import Call


def require_hosts(call: Call, place: ManagedObject, given: Iterable[str]) -> list[Host]:
    """The hosts of these ids, by rising id.

    :raises NotFound: there is no such host.
    :raises InvalidArgument: one is in another datacenter than ``place``.
    """
    here = datacenter_of(call.unfiltered, place)
    hosts = [call.require(Host, id) for id in sorted(given)]
    for host in hosts:
        there = datacenter_of(call.unfiltered, host)
        if here is None or there is None or here.id != there.id:
            raise InvalidArgument(
                message(
                    "resphere.inventory.host_elsewhere",
                    "The host {0} ({1}) is not in the datacenter of {2} ({3}).",
                    named(host),
                    identified(host.id),
                    named(place),
                    identified(place.id),
                )
            )
    return hosts
