"""Hosts that are added to the simulated vCenter: which answer, whom they let in, what they bring along.

A host answers under any name but those of the reserved domain ``.invalid`` (RFC 6761). It lets in any account with any
password, but for an empty one and those that begin with ``wrong``. Its certificate's thumbprint follows from its name.
"""

from __future__ import annotations

import hashlib
import ipaddress
from random import Random

import msgspec

from resphere.contract.errors import Unauthenticated, UnverifiedPeer, VapiError, message
from resphere.contract.generated import ids
from resphere.contract.generated.vcenter import Datastore as ApiDatastore
from resphere.contract.generated.vcenter import Network as ApiNetwork
from resphere.inventory.model import Datacenter, Datastore, Folder, Host, Network, PhysicalNic
from resphere.inventory.relations import children_of, datacenter_of
from resphere.providers.base import NewHost
from resphere.providers.simulator.addresses import management_ip, physical_mac
from resphere.providers.simulator.catalog import ESXI_RELEASES, HOST_MODELS, TIB, HostModel
from resphere.providers.simulator.containers import Builder
from resphere.providers.simulator.draws import Draws, Numbers
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica
from resphere.rules.users import use

UNREACHABLE = ".invalid"
WRONG = "wrong"


def thumbprint(hostname: str) -> str:
    """The SHA-1 thumbprint of the certificate of the host of that name: ``0A:1B:...``, twenty bytes."""
    digest = hashlib.sha1(hostname.lower().encode(), usedforsecurity=False).hexdigest().upper()
    return ":".join(digest[at : at + 2] for at in range(0, 40, 2))


def reach(wanted: NewHost) -> None:
    """Speak to the host as vCenter does before it adds it: connect, verify, log in.

    :raises VapiError: nobody answers.
    :raises UnverifiedPeer: the certificate is not the one expected.
    :raises Unauthenticated: the host does not let this account in.
    """
    name = wanted.hostname.lower().rstrip(".")
    if f".{name}".endswith(UNREACHABLE):
        raise VapiError(
            message(
                "resphere.host.unreachable",
                "Cannot contact the host {0} on port {1}: nobody answers.",
                wanted.hostname,
                wanted.port,
            )
        )
    own = thumbprint(name)
    if wanted.verify and (wanted.thumbprint or "").strip().upper() != own:
        raise UnverifiedPeer(
            message(
                "resphere.host.thumbprint",
                "The certificate of the host {0} cannot be verified: its SHA-1 thumbprint is {1}.",
                wanted.hostname,
                own,
            )
        )
    if not wanted.user_name or not wanted.password or wanted.password.lower().startswith(WRONG):
        raise Unauthenticated(
            message(
                "resphere.host.credentials",
                "The host {0} does not accept the user name or password that was given for it.",
                wanted.hostname,
            )
        )


class _EditNumbers(Numbers):
    """Numbers for ids from the change in the making."""

    __slots__ = ("_edit",)

    def __init__(self, edit: Edit) -> None:
        super().__init__()
        self._edit = edit

    def take(self) -> int:
        return int(self._edit.new_id(""))


def _draws(wanted: NewHost) -> Draws:
    """The chance that makes a host what it is: always the same for its name."""
    return Draws(Random(wanted.hostname.lower()))


def model_of(wanted: NewHost) -> HostModel:
    """The server that the host of that name is."""
    return _draws(wanted).pick(HOST_MODELS)


def put_host(inventory: Replica, edit: Edit, folder: Folder, wanted: NewHost) -> ids.HostSystemId:
    """Put a standalone host into ``folder``: with a root pool, a local datastore, and the network ``VM Network``."""
    datacenter = datacenter_of(inventory, folder)
    assert datacenter is not None  # folders for hosts stand in datacenters only
    draws = _draws(wanted)
    builder = Builder(_EditNumbers(edit), draws)
    model, release = draws.pick(HOST_MODELS), draws.pick(ESXI_RELEASES)
    store = builder.datastore(
        _free_datastore_name(inventory, datacenter),
        datacenter.datastore_folder,
        ApiDatastore.Type.VMFS,
        TIB,
        shared=False,
    )
    networks = _networks(inventory, edit, builder, datacenter)
    made = builder.host(wanted.hostname, folder.id, (model, release), (store,), networks, standalone=True)
    first_mac = draws.number(22)
    for built in builder.objects:
        edit.put(built)
    edit.put(
        msgspec.structs.replace(
            made,
            management_ip=_address(inventory, edit, wanted.hostname),
            physical_nics=tuple(
                PhysicalNic(
                    device=nic.device,
                    mac_address=physical_mac(model.nic_vendor, first_mac + index),
                    link_speed_Mbps=nic.link_speed_Mbps,
                )
                for index, nic in enumerate(made.physical_nics)
            ),
        )
    )
    return ids.HostSystemId(made.id)


def _free_datastore_name(inventory: Replica, datacenter: Datacenter) -> str:
    """``datastore1``, ``datastore1 (1)``..., as vCenter names what hosts bring along."""
    taken = {store.name for store in inventory.all(Datastore).values() if _is_in(inventory, store, datacenter)}
    taken.update(child.name for child in children_of(inventory, datacenter.datastore_folder))
    name, number = "datastore1", 0
    while name in taken:
        number += 1
        name = f"datastore1 ({number})"
    return name


def _networks(inventory: Replica, edit: Edit, builder: Builder, datacenter: Datacenter) -> list[Network]:
    """``VM Network`` of the datacenter, made where there is none; nothing where something else has its name."""
    for network in inventory.by(Network, "name", "VM Network").values():
        if network.type is ApiNetwork.Type.STANDARD_PORTGROUP and _is_in(inventory, network, datacenter):
            use(edit, network)
            return [network]
    if any(child.name == "VM Network" for child in children_of(inventory, datacenter.network_folder)):
        return []
    return [builder.standard_network("VM Network", datacenter.network_folder)]


def _is_in(inventory: Replica, item: Datastore | Network, datacenter: Datacenter) -> bool:
    found = datacenter_of(inventory, item)
    return found is not None and found.id == datacenter.id


def _address(inventory: Replica, edit: Edit, hostname: str) -> str:
    """The name, if it is an address; else one that no other host has, or gets at the same time."""
    try:
        return str(ipaddress.ip_address(hostname))
    except ValueError:
        taken = {host.management_ip for host in inventory.all(Host).values()}
        number = len(taken) + 1
        while management_ip(number) in taken:
            number += 1
        found = management_ip(number)
        edit.take(f"host-address/{found}", 1, 1)
        return found
