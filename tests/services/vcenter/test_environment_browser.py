"""The environment browser, and of which types datastores and networks are."""

from __future__ import annotations

import pytest

from resphere.contract.errors import InvalidArgument, NotFound
from resphere.contract.generated import ids
from resphere.contract.generated.vcenter_environment_browser import (
    ConfigOptionDescriptors,
    ConfigOptions,
    ConfigTargets,
)
from resphere.contract.generated.vcenter_inventory import Datastore as FindDatastore
from resphere.contract.generated.vcenter_inventory import Network as FindNetwork
from resphere.contract.generated.vcenter_vm import GuestOS
from resphere.inventory.model import Cluster, Datastore, Host, Network
from resphere.rules.machines.guest_os_ids import vim_guest_id
from tests.support.world import World


def clusters_of(world: World) -> frozenset[ids.ClusterComputeResourceId]:
    return frozenset(map(ids.ClusterComputeResourceId, world.inventory.all(Cluster)))


def hosts_of(world: World) -> list[Host]:
    return [host for id in world.inventory.all(Cluster) for host in world.inventory.by(Host, "parent", id).values()]


class TestDescriptors:
    def test_the_newest_that_all_run_is_the_default(self, world: World) -> None:
        first, *others = hosts_of(world)
        world.change(first, version="7.0.3")
        for other in others:
            world.change(other, version="8.0.3")
        found = world.call(
            ConfigOptionDescriptors.list, ConfigOptionDescriptors.ListParams(clusters=clusters_of(world))
        ).config_options_descriptors
        assert [each.config_option for each in found][:3] == ["vmx-21", "vmx-20", "vmx-19"]
        assert [each.config_option for each in found if each.default_config_option] == ["vmx-19"]
        newest, oldest = found[0], found[-1]
        assert newest.hosts is not None
        assert oldest.hosts is not None
        assert first.id not in newest.hosts
        assert first.id in oldest.hosts

    def test_clusters_must_be_given_and_exist(self, world: World) -> None:
        for none in (None, frozenset[ids.ClusterComputeResourceId]()):
            with pytest.raises(InvalidArgument) as refused:
                world.call(ConfigOptionDescriptors.list, ConfigOptionDescriptors.ListParams(clusters=none))
            assert refused.value.messages[0].id == "resphere.environment_browser.clusters"
        unknown = frozenset({ids.ClusterComputeResourceId("domain-c404")})
        with pytest.raises(NotFound):
            world.call(ConfigOptionDescriptors.list, ConfigOptionDescriptors.ListParams(clusters=unknown))


class TestOptions:
    def test_guests_of_the_default(self, world: World) -> None:
        found = world.call(ConfigOptions.get, ConfigOptions.GetParams(clusters=clusters_of(world))).config_option
        assert found is not None
        guests = {each["id"]: each for each in found["guestOSDescriptor"]}
        assert found["version"] == "vmx-21"
        assert guests["rhel8_64Guest"]["recommendedSCSIController"] == "ParaVirtualSCSIController"
        assert guests["windows2019srv_64Guest"]["recommendedFirmware"] == "efi"

    def test_some_guests_of_an_old_version(self, world: World) -> None:
        params = ConfigOptions.GetParams(
            clusters=clusters_of(world),
            config_option=ids.VcenterConfigOptionId("vmx-13"),
            guest_ids=frozenset({"otherGuest64", "windows2019srv_64Guest"}),
        )
        found = world.call(ConfigOptions.get, params).config_option
        assert found is not None
        # Windows Server 2019 needs newer virtual hardware.
        assert [each["id"] for each in found["guestOSDescriptor"]] == ["otherGuest64"]

    def test_a_version_that_nobody_runs(self, world: World) -> None:
        for host in hosts_of(world):
            world.change(host, version="7.0.3")
        params = ConfigOptions.GetParams(clusters=clusters_of(world), config_option=ids.VcenterConfigOptionId("vmx-21"))
        with pytest.raises(NotFound) as refused:
            world.call(ConfigOptions.get, params)
        assert refused.value.messages[0].id == "resphere.environment_browser.no_option"

    def test_every_guest_has_an_id_of_its_own(self) -> None:
        assert len({vim_guest_id(each) for each in GuestOS}) == len(GuestOS)
        assert vim_guest_id(GuestOS.OTHER_3X_LINUX_64) == "other3xLinux64Guest"
        assert vim_guest_id(GuestOS.VMWARE_PHOTON_64) == "vmwarePhoton64Guest"


class TestTargets:
    def test_what_the_hosts_have(self, world: World) -> None:
        found = world.call(ConfigTargets.get, ConfigTargets.GetParams(clusters=clusters_of(world))).config_target
        hosts = hosts_of(world)
        stores = {id for host in hosts for id in host.datastores}
        assert {each["datastore"]["datastore"]["value"] for each in found["datastore"]} == stores
        shown = {each["network"]["network"]["value"] for each in found["network"]}
        shown |= {each["portgroupKey"] for each in found["distributedVirtualPortgroup"]}
        uplinks = {id for id, network in world.inventory.all(Network).items() if network.uplink}
        assert uplinks
        assert shown == {id for host in hosts for id in host.networks} | uplinks
        assert {
            each["portgroupKey"] for each in found["distributedVirtualPortgroup"] if each["uplinkPortgroup"]
        } == uplinks
        assert found["numCpuCores"] == max(host.hardware.cpu_cores for host in hosts)

    def test_only_what_is_asked_for(self, world: World) -> None:
        params = ConfigTargets.GetParams(
            clusters=clusters_of(world), filter=frozenset({ConfigTargets.ConfigTargetSpec.DISKS})
        )
        found = world.call(ConfigTargets.get, params).config_target
        assert "scsiDisk" in found
        assert not {"datastore", "network", "cdRom"} & set(found)


def test_types_are_found(world: World) -> None:
    stores = tuple(map(ids.DatastoreId, world.inventory.all(Datastore)))
    assert world.call(FindDatastore.find, stores) == {id: FindDatastore.Info(type="Datastore") for id in stores}
    networks = tuple(map(ids.NetworkId, world.inventory.all(Network)))
    types = {id: info.type for id, info in world.call(FindNetwork.find, networks).items() if info is not None}
    assert types == {
        id: "DistributedVirtualPortgroup" if id.startswith("dvportgroup") else "Network" for id in networks
    }


def test_one_that_is_not_there_is_told(world: World) -> None:
    with pytest.raises(NotFound):
        world.call(FindDatastore.find, (ids.DatastoreId("datastore-404"),))
    with pytest.raises(NotFound):
        world.call(FindNetwork.find, (ids.NetworkId("network-404"),))
