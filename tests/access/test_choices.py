"""What the server chooses for a caller is what the caller may use."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from resphere.access.roles import ADMIN, NO_ACCESS, READ_ONLY
from resphere.contract.generated import ids, vcenter, vcenter_vm
from resphere.contract.generated.vcenter_vm_hardware import Ethernet
from resphere.inventory.model import ROOT_FOLDER, Cluster, Host, VirtualMachine
from resphere.inventory.relations import hosts_of_cluster
from tests.support.scoped import ask_as_ann, permission
from tests.support.served import Failure, Served

CREATE = vcenter.VM.create


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with Served(tmp_path) as served:
        yield served


def hosts_of(served: Served) -> list[Host]:
    """The hosts of the only cluster, which all have mounted several datastores and connected several networks."""
    [cluster] = served.world.inventory.all(Cluster)
    return hosts_of_cluster(served.world.inventory, cluster)


def administrator_but(served: Served, *hidden: str) -> None:
    """Ann may everything, and does not see some objects."""
    ask_as_ann(served, [permission(ROOT_FOLDER, ADMIN), *(permission(each, NO_ACCESS) for each in hidden)])


def created(served: Served) -> VirtualMachine | Failure:
    """A machine whose host and datastore the server chooses, on the cluster."""
    inventory = served.world.inventory
    [cluster] = inventory.all(Cluster)
    folder = next(vm.parent for vm in inventory.all(VirtualMachine).values())
    spec = vcenter.VM.CreateSpec(
        name="chosen",
        guest_OS=vcenter_vm.GuestOS.DEBIAN_12_64,
        placement=vcenter.VM.PlacementSpec(
            folder=ids.FolderId(folder or ""), cluster=ids.ClusterComputeResourceId(cluster)
        ),
        nics=(Ethernet.CreateSpec(),),
    )
    made = served.by_api(CREATE, CREATE.input(spec=spec))
    return made if isinstance(made, Failure) else inventory.all(VirtualMachine)[made]


def test_hosts_datastores_and_networks_that_are_not_seen_are_not_chosen(served: Served) -> None:
    first = created(served)
    assert isinstance(first, VirtualMachine)
    network = first.nics[next(iter(first.nics))].backing.network
    assert network is not None
    served.world.change(first, name="another")
    others = [host.id for host in hosts_of(served) if host.id != first.host]
    administrator_but(served, first.host, first.datastore, network)
    second = created(served)
    assert isinstance(second, VirtualMachine)
    assert second.host in others
    assert second.datastore != first.datastore
    assert second.nics[next(iter(second.nics))].backing.network != network


def test_where_none_may_be_used_the_refusal_names_none(served: Served) -> None:
    hosts = [host.id for host in hosts_of(served)]
    administrator_but(served, *hosts)
    refusal = created(served)
    assert isinstance(refusal, Failure)
    assert refusal.error_type == "UNABLE_TO_ALLOCATE_RESOURCE"
    assert not any(host in text for text in refusal.texts for host in hosts)


def test_what_is_read_only_is_not_used_either(served: Served) -> None:
    first = created(served)
    assert isinstance(first, VirtualMachine)
    served.world.change(first, name="another")
    ask_as_ann(served, [permission(ROOT_FOLDER, ADMIN), permission(first.datastore, READ_ONLY)])
    second = created(served)
    assert isinstance(second, VirtualMachine)
    assert second.datastore != first.datastore


def test_a_host_that_is_named_and_not_seen_is_refused(served: Served) -> None:
    """The contract states no privilege on a placement's host."""
    host = hosts_of(served)[0]
    administrator_but(served, host.id)
    vm = next(vm for vm in served.world.inventory.all(VirtualMachine).values() if vm.host != host.id)
    relocate = vcenter.VM.relocate
    spec = vcenter.VM.RelocateSpec(placement=vcenter.VM.RelocatePlacementSpec(host=ids.HostSystemId(host.id)))
    refusal = served.by_api(relocate, relocate.input(vm=vm.id, spec=spec))
    assert isinstance(refusal, Failure)
    assert refusal.message_ids == ("vapi.authz.error.no.privs",)
