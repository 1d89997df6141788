"""Hosts that are added to the simulated vCenter: which answer, whom they let in, what they bring along.

A host answers under any name but those of the reserved domain ``.invalid`` (RFC 6761). It lets in any account with any
password, but for an empty one and those that begin with ``wrong``. Its certificate's thumbprint follows from its name.
"""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Iterable
from datetime import timedelta
from random import Random

from resphere.contract.errors import Unauthenticated, UnverifiedPeer, VapiError, message
from resphere.contract.generated.vcenter import Datastore as ApiDatastore
from resphere.inventory.effects import NewHost
from resphere.inventory.facts import HostFacts, NewDatastore
from resphere.inventory.model import Host, PhysicalNic
from resphere.inventory.volumes import datastore_url
from resphere.providers.simulator.addresses import management_ip, physical_mac
from resphere.providers.simulator.catalog import BASE_TIME, ESXI_RELEASES, HOST_MODELS, TIB
from resphere.providers.simulator.containers import host_hardware
from resphere.providers.simulator.draws import Draws

UNREACHABLE = ".invalid"
WRONG = "wrong"


def thumbprint(hostname: str) -> str:
    """The SHA-1 thumbprint of the certificate of the host of that name: ``0A:1B:...``, twenty bytes."""
    digest = hashlib.sha1(hostname.lower().encode(), usedforsecurity=False).hexdigest().upper()
    return ":".join(digest[at : at + 2] for at in range(0, 40, 2))


def reach(new_host: NewHost) -> None:
    """Speak to the host as vCenter does before it adds it: connect, verify, log in.

    :raises VapiError: nobody answers.
    :raises UnverifiedPeer: the certificate is not the one expected.
    :raises Unauthenticated: the host does not let this account in.
    """
    name = new_host.hostname.lower().rstrip(".")
    if f".{name}".endswith(UNREACHABLE):
        raise VapiError(
            message(
                "resphere.host.unreachable",
                "Cannot contact the host {0} on port {1}: nobody answers.",
                new_host.hostname,
                new_host.port,
            )
        )
    own = thumbprint(name)
    if new_host.verify and (new_host.thumbprint or "").strip().upper() != own:
        raise UnverifiedPeer(
            message(
                "resphere.host.thumbprint",
                "The certificate of the host {0} cannot be verified: its SHA-1 thumbprint is {1}.",
                new_host.hostname,
                own,
            )
        )
    if not new_host.user_name or not new_host.password or new_host.password.lower().startswith(WRONG):
        raise Unauthenticated(
            message(
                "resphere.host.credentials",
                "The host {0} does not accept the user name or password that was given for it.",
                new_host.hostname,
            )
        )


def _draws(new_host: NewHost) -> Draws:
    """The chance that makes a host what it is: always the same for its name."""
    return Draws(Random(new_host.hostname.lower()))


def facts_of(new_host: NewHost, address: str) -> HostFacts:
    """What the host says of itself: a local datastore, the network ``VM Network``, and ``address`` unless its name is
    one."""
    draws = _draws(new_host)
    model, (version, build) = draws.pick(HOST_MODELS), draws.pick(ESXI_RELEASES)
    store = NewDatastore(
        type=ApiDatastore.Type.VMFS, capacity=TIB, url=datastore_url(ApiDatastore.Type.VMFS, draws.hex_digits())
    )
    hardware, host_uuid = host_hardware(model, draws), draws.uuid()
    boot_time = BASE_TIME - timedelta(seconds=86_400 + draws.number(23))
    first_mac = draws.number(22)
    return HostFacts(
        hardware=hardware,
        version=version,
        build=build,
        host_uuid=host_uuid,
        boot_time=boot_time,
        management_ip=own_address(new_host.hostname) or address,
        physical_nics=tuple(
            [
                PhysicalNic(
                    device=f"vmnic{index}",
                    mac_address=physical_mac(model.nic_vendor, first_mac + index),
                    link_speed_Mbps=model.nic_speed_Mbps if index < 3 else None,
                )
                for index in range(4)
            ]
        ),
        datastores=(store,),
        networks=("VM Network",),
    )


def own_address(hostname: str) -> str | None:
    """The name, if it is an address."""
    try:
        return str(ipaddress.ip_address(hostname))
    except ValueError:
        return None


def free_address(hosts: Iterable[Host]) -> str:
    """An address that none of the hosts has."""
    taken = {host.management_ip for host in hosts}
    number = len(taken) + 1
    while management_ip(number) in taken:
        number += 1
    return management_ip(number)
