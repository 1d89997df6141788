"""EVC: modes of clusters, checks, custom modes, and hosts that do not fit."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from resphere.contract.errors import InvalidArgument, NotAllowedInCurrentState, NotFound, ServiceUnavailable, VapiError
from resphere.contract.extensions.moves import HostMoves
from resphere.contract.generated import ids, vcenter
from resphere.contract.generated.cis import Tasks
from resphere.contract.generated.vcenter import EvcModes
from resphere.contract.generated.vcenter_cluster import EvcMode as Api
from resphere.contract.generated.vcenter_evc_mode import EvcMode, FeatureMask
from resphere.contract.generated.vcenter_vm import Power
from resphere.contract.model import Secret
from resphere.inventory.model import Cluster, Host, VirtualMachine
from resphere.rules.evc.features import features_of, generation_of, mode_of, parts, shown_by
from resphere.tasks.record import Task
from tests.support.guests import ended
from tests.support.world import World

ICE_LAKE = "Intel(R) Xeon(R) Gold 6338 CPU @ 2.00GHz"
SKYLAKE = "Intel(R) Xeon(R) Gold 6138 CPU @ 2.00GHz"
MILAN = "AMD EPYC 7543 32-Core Processor"
OFF, ON = Power.State.POWERED_OFF, Power.State.POWERED_ON
Create = vcenter.Host.CreateSpec


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """All hosts are Ice Lake, all VMs off."""
    with World(tmp_path) as world:
        for host in list(world.inventory.all(Host).values()):
            with_processor(world, host, ICE_LAKE)
        for vm in list(world.inventory.all(VirtualMachine).values()):
            world.change(vm, power_state=OFF)
        yield world


def with_processor(world: World, host: Host, cpu_model: str) -> Host:
    return world.change(host, hardware=msgspec.structs.replace(host.hardware, cpu_model=cpu_model))


def cluster_of(world: World) -> ids.ClusterComputeResourceId:
    return ids.ClusterComputeResourceId(next(iter(world.inventory.all(Cluster))))


def members(world: World) -> list[Host]:
    return list(world.inventory.by(Host, "parent", cluster_of(world)).values())


def set_mode(world: World, key: str, *masks: FeatureMask) -> str:
    spec = Api.SetSpec(evc_mode=EvcMode(key=key, masks=masks))
    return ended(world, world.call(Api.set_task, cluster_of(world), spec))


def outcome(world: World, task: ids.CisTASKId) -> Any:
    assert ended(world, task) == "SUCCEEDED"
    return world.call(Tasks.get, ids.CisTaskId(task), None).result


def check(world: World, key: str) -> Any:
    spec = Api.SetSpec(evc_mode=EvcMode(key=key, masks=()))
    return outcome(world, world.call(Api.check_set_task, cluster_of(world), spec))


@pytest.mark.parametrize(
    ("cpu_model", "key"),
    [
        (ICE_LAKE, "intel-icelake"),
        (SKYLAKE, "intel-skylake"),
        ("Intel(R) Xeon(R) Platinum 8490H", "intel-sapphirerapids"),
        ("Intel(R) Xeon(R) CPU E5-2690 v4 @ 2.60GHz", "intel-broadwell"),
        ("Intel(R) Xeon(R) CPU E5-2690 0 @ 2.90GHz", "intel-sandybridge"),
        (MILAN, "amd-zen3"),
        ("AMD Opteron(tm) Processor 6380", "amd-greyhound"),
        ("Something Else", "intel-merom"),
    ],
)
def test_what_processors_are(cpu_model: str, key: str) -> None:
    assert generation_of(cpu_model) == key
    assert mode_of(features_of(cpu_model)).key == key


def test_younger_generations_have_all_that_the_elder_have() -> None:
    assert features_of(SKYLAKE) < features_of(ICE_LAKE)
    assert not {"Intel", "XOP"} & features_of(MILAN)


class TestSet:
    def test_a_mode_is_set_with_its_masks_and_taken_away(self, world: World) -> None:
        cluster = cluster_of(world)
        assert world.call(Api.get, cluster).evc_mode is None
        assert set_mode(world, "intel-skylake") == "SUCCEEDED"
        mode = world.call(Api.get, cluster).evc_mode
        assert mode is not None
        assert (mode.key, shown_by(mode)) == ("intel-skylake", features_of(SKYLAKE))
        assert ended(world, world.call(Api.set_task, cluster, Api.SetSpec())) == "SUCCEEDED"
        assert world.call(Api.get, cluster).evc_mode is None

    @pytest.mark.parametrize("key", ["intel-sapphirerapids", "amd-zen3"])
    def test_hosts_that_lack_features_refuse(self, world: World, key: str) -> None:
        with pytest.raises(VapiError) as refused:
            set_mode(world, key)
        assert (refused.value.api_status, refused.value.messages[0].id) == (500, "resphere.evc.lacks")
        assert world.call(Api.get, cluster_of(world)).evc_mode is None

    def test_vms_that_may_use_what_is_hidden_refuse(self, world: World) -> None:
        vm = next(iter(world.inventory.by(VirtualMachine, "host", members(world)[0].id).values()))
        world.change(vm, power_state=ON)
        with pytest.raises(VapiError) as refused:
            set_mode(world, "intel-skylake")
        assert refused.value.messages[0].id == "resphere.evc.in_use"
        assert set_mode(world, "intel-icelake") == "SUCCEEDED"

    def test_vms_with_a_lower_mode_of_their_own_do_not(self, world: World) -> None:
        vm = next(iter(world.inventory.by(VirtualMachine, "host", members(world)[0].id).values()))
        world.change(vm, power_state=ON, evc_mode=EvcMode(key="intel-haswell", masks=()))
        assert set_mode(world, "intel-skylake") == "SUCCEEDED"

    @pytest.mark.parametrize(
        ("key", "masks"),
        [
            ("Not A Key", ()),
            ("intel-unheard-of", ()),
            ("custom-1", (FeatureMask(key="", name="x", value="Val:1"),)),
        ],
    )
    def test_what_is_no_mode(self, world: World, key: str, masks: tuple[FeatureMask, ...]) -> None:
        with pytest.raises(InvalidArgument) as refused:
            set_mode(world, key, *masks)
        assert (refused.value.api_status, refused.value.messages[0].id) == (400, "resphere.evc.mode")

    def test_no_such_cluster(self, world: World) -> None:
        for operation in (Api.set_task, Api.check_set_task):
            with pytest.raises(NotFound):
                world.call(operation, ids.ClusterComputeResourceId("domain-c404"), Api.SetSpec())
        with pytest.raises(NotFound):
            world.call(Api.get, ids.ClusterComputeResourceId("domain-c404"))


class TestCheck:
    def test_nothing_in_the_way(self, world: World) -> None:
        assert not check(world, "intel-skylake")

    def test_each_host_that_is_in_the_way(self, world: World) -> None:
        first, *_ = members(world)
        with_processor(world, first, SKYLAKE)
        (found,) = msgspec.to_builtins(check(world, "intel-icelake"))
        assert found["host_system"] == first.id
        assert found["error"]["error_type"] == "ERROR"
        assert found["error"]["messages"][0]["id"] == "resphere.evc.lacks"

    def test_a_host_that_is_to_be_added(self, world: World) -> None:
        set_mode(world, "intel-icelake")
        results = {
            name: outcome(world, world.call(Api.check_add_host_evc_task, cluster_of(world), new_host(name)))
            for name in ("a.example", "b.example", "c.example", "d.example", "e.example", "f.example")
        }
        assert any(results.values())
        assert not all(results.values())

    def test_a_host_that_cannot_be_reached(self, world: World) -> None:
        task = world.call(Api.check_add_host_evc_task, cluster_of(world), new_host("esx.invalid"))
        assert ended(world, task) == "FAILED"

    def test_a_host_with_another_certificate(self, world: World) -> None:
        spec = msgspec.structs.replace(
            new_host("a.example"), thumbprint_verification=Create.ThumbprintVerification.THUMBPRINT, thumbprint="AA:BB"
        )
        task = world.call(Api.check_add_host_evc_task, cluster_of(world), spec)
        assert ended(world, task) == "FAILED"
        failed = world.inventory.get(Task, task)
        assert failed is not None
        assert failed.error is not None
        assert (failed.error.error_type, failed.error.messages[0].id) == (
            "INVALID_ARGUMENT",
            "resphere.host.thumbprint",
        )


def new_host(name: str) -> Create:
    return Create(
        hostname=name,
        user_name="root",
        password=Secret("secret"),
        thumbprint_verification=Create.ThumbprintVerification.NONE,
    )


class TestHostsThatJoin:
    def test_one_that_does_not_fit_is_refused(self, world: World) -> None:
        leaver = world.change(members(world)[0], in_maintenance_mode=True)
        set_mode(world, "intel-icelake")
        folder = ids.FolderId(str(world.inventory.all(Cluster)[cluster_of(world)].parent))
        host = ids.HostSystemId(leaver.id)
        world.call(HostMoves.move, host, HostMoves.MoveSpec(folder=folder))
        with_processor(world, world.inventory.all(Host)[host], MILAN)
        with pytest.raises(NotAllowedInCurrentState) as refused:
            world.call(HostMoves.move, host, HostMoves.MoveSpec(cluster=cluster_of(world)))
        assert refused.value.messages[0].id == "resphere.evc.lacks"
        with_processor(world, world.inventory.all(Host)[host], ICE_LAKE)
        world.call(HostMoves.move, host, HostMoves.MoveSpec(cluster=cluster_of(world)))


class TestCustomModes:
    def test_what_hosts_have_in_common(self, world: World) -> None:
        first, second, *_ = members(world)
        with_processor(world, first, SKYLAKE)
        hosts = (ids.HostSystemId(first.id), ids.HostSystemId(second.id))
        for source in (EvcModes.Source(hosts=hosts), EvcModes.Source(clusters=(cluster_of(world),))):
            made = outcome(world, world.call(EvcModes.create_task, EvcModes.CreateSpec(sources=(source,))))
            assert msgspec.convert(msgspec.to_builtins(made), EvcMode) == mode_of(features_of(SKYLAKE))

    def test_both_vendors_have_nothing_in_common(self, world: World) -> None:
        with_processor(world, members(world)[0], MILAN)
        source = EvcModes.Source(clusters=(cluster_of(world),))
        assert ended(world, world.call(EvcModes.create_task, EvcModes.CreateSpec(sources=(source,)))) == "FAILED"

    @pytest.mark.parametrize(
        "sources", [(), (EvcModes.Source(),), (EvcModes.Source(hosts=(ids.HostSystemId("host-404"),)),)]
    )
    def test_no_sources(self, world: World, sources: tuple[EvcModes.Source, ...]) -> None:
        with pytest.raises(InvalidArgument) as refused:
            world.call(EvcModes.create_task, EvcModes.CreateSpec(sources=sources))
        assert refused.value.messages[0].id == "resphere.evc.mode"

    def test_another_vcenter(self, world: World) -> None:
        credential = vcenter.Credential(type=vcenter.Credential.Type.SAML_TOKEN, saml_token=Secret("a"))
        locator = vcenter.ServiceLocator(instance_uuid="x", url="https://other", credential=credential)
        spec = EvcModes.CreateSpec(sources=(EvcModes.Source(service_locator=locator, clusters=(cluster_of(world),)),))
        with pytest.raises(ServiceUnavailable) as refused:
            world.call(EvcModes.create_task, spec)
        assert refused.value.messages[0].id == "resphere.evc.other_vcenter"

    def test_parts(self, world: World) -> None:
        graphics = FeatureMask(key="svga.cap.dx11", name="svga.cap.dx11", value="Val:1")
        whole = EvcMode(key="custom-2", masks=(*mode_of({"Intel", "AVX"}).masks, graphics))
        result = world.call(EvcModes.partition, whole)
        assert (result.cpu_evc_mode, result.graphics_evc_mode) == parts(whole)
        assert result.graphics_evc_mode == EvcMode(key="custom-2", masks=(graphics,))
        with pytest.raises(VapiError) as refused:
            world.call(EvcModes.partition, EvcMode(key="custom-2", masks=()))
        assert refused.value.messages[0].id == "resphere.evc.no_masks"
