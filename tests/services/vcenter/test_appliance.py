"""What a vCenter that stands alone, and without NSX, says of itself."""

from __future__ import annotations

import pytest

from resphere.contract.errors import InvalidArgument, NotFound, Unsupported
from resphere.contract.generated import ids
from resphere.contract.generated.vcenter_deployment import ApplianceType, RemotePscSpec
from resphere.contract.generated.vcenter_network import Projects
from resphere.contract.generated.vcenter_network_projects import Vpcs
from resphere.contract.generated.vcenter_network_projects_vpcs import Subnets
from resphere.contract.generated.vcenter_system_config import DeploymentType, PscRegistration
from resphere.contract.generated.vcenter_topology import Nodes, ReplicationStatus
from tests.services.vcenter.building import refused
from tests.support.world import World

NAME = ids.VcenterVCenterNameId("localhost")
STRANGE = ids.VcenterVCenterNameId("vc-9.example.com")
PSC = RemotePscSpec(psc_hostname="psc.example.com", sso_admin_password="secret")


def test_it_is_the_only_node(world: World) -> None:
    (node,) = world.call(Nodes.list, None)
    assert (node.node, node.type, node.replication_partners) == (NAME, Nodes.ApplianceType.VCSA_EMBEDDED, ())
    assert world.call(Nodes.get, NAME).domain == "vsphere.local"
    wanted = Nodes.FilterSpec(types=frozenset({Nodes.ApplianceType.PSC_EXTERNAL}))
    assert world.call(Nodes.list, wanted) == ()
    assert world.call(Nodes.list, Nodes.FilterSpec(types=frozenset())) == (node,)
    with pytest.raises(NotFound) as error:
        world.call(Nodes.get, STRANGE)
    assert refused(error) == (404, "resphere.topology.not_found")


def test_it_replicates_with_no_other(world: World) -> None:
    assert world.call(ReplicationStatus.list, None) == ()
    assert world.call(ReplicationStatus.list, ReplicationStatus.FilterSpec(nodes=frozenset({NAME}))) == ()
    with pytest.raises(InvalidArgument) as error:
        world.call(ReplicationStatus.list, ReplicationStatus.FilterSpec(nodes=frozenset({NAME, STRANGE})))
    assert refused(error) == (400, "resphere.topology.filter")


def test_its_controller_is_its_own(world: World) -> None:
    assert world.call(DeploymentType.get).type is ApplianceType.VCSA_EMBEDDED
    registration = world.call(PscRegistration.get)
    assert (registration.address, registration.https_port) == (NAME, 443)
    with pytest.raises(Unsupported) as error:
        world.call(PscRegistration.repoint, PSC)
    assert refused(error) == (400, "resphere.system_config.not_external")


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        (RemotePscSpec(psc_hostname=" ", sso_admin_password="secret"), "resphere.system_config.psc_hostname"),
        (
            RemotePscSpec(psc_hostname="psc", https_port=70_000, sso_admin_password="secret"),
            "resphere.system_config.https_port",
        ),
    ],
)
def test_a_controller_that_can_be_nowhere(world: World, spec: RemotePscSpec, words: str) -> None:
    with pytest.raises(InvalidArgument) as error:
        world.call(PscRegistration.repoint, spec)
    assert refused(error) == (400, words)


def test_it_stays_of_its_kind(world: World) -> None:
    def reconfigure(type: ApplianceType, psc: RemotePscSpec | None = None) -> None:
        world.call(DeploymentType.reconfigure, DeploymentType.ReconfigureSpec(type=type, remote_psc=psc))

    with pytest.raises(Unsupported) as error:
        reconfigure(ApplianceType.PSC_EXTERNAL)
    assert refused(error) == (400, "resphere.system_config.type")
    with pytest.raises(InvalidArgument) as invalid:
        reconfigure(ApplianceType.VCSA_EXTERNAL)
    assert refused(invalid) == (400, "resphere.system_config.remote_psc_required")
    with pytest.raises(Unsupported) as error:
        reconfigure(ApplianceType.VCSA_EXTERNAL, PSC)
    assert refused(error) == (400, "resphere.system_config.no_external_psc")


def test_without_nsx_there_are_no_projects(world: World) -> None:
    vpc, subnet = ids.VcenterNetworkVpcId("vpc-1"), ids.VcenterNetworkSubnetId("subnet-1")
    assert world.call(Projects.list, None).projects == ()
    assert world.call(Vpcs.list, vpc, None).vpcs == ()
    assert world.call(Subnets.list, subnet, subnet, None).subnets == ()
    with pytest.raises(NotFound) as error:
        world.call(Projects.get, ids.VcenterNetworkProjectId("project-1"))
    assert refused(error) == (404, "resphere.network.project_not_found")
    with pytest.raises(NotFound):
        world.call(Vpcs.get, vpc, vpc)
    with pytest.raises(NotFound):
        world.call(Subnets.get, subnet, subnet, subnet)
