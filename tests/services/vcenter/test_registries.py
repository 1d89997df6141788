"""Harbor registries in clusters, and their projects."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from resphere.access.defaults import requirements_of
from resphere.contract.errors import AlreadyExists, InvalidArgument, NotFound, Unsupported, VapiError
from resphere.contract.generated import ids
from resphere.contract.generated.vcenter_content_registries import DayOfWeek, Harbor, Health, Recurrence
from resphere.contract.generated.vcenter_content_registries_harbor import Projects
from resphere.inventory.content.registries import ContainerRegistry, RegistryProject
from resphere.inventory.model import Cluster
from resphere.inventory.storage_policies import VSAN_DEFAULT
from tests.support.world import NOW, World

TOKEN = "b1946ac9-2c0e-4a5b-8a51-3c8d8d9a6f10"
STORAGE = Harbor.StorageSpec(policy=ids.SpsStorageProfileId(VSAN_DEFAULT.id))
GONE = ids.VcenterContentRegistryId("gone")


def daily(hour: int, minute: int) -> Harbor.GarbageCollection:
    return Harbor.GarbageCollection(type=Recurrence.DAILY, hour=hour, minute=minute)


@pytest.fixture
def cluster(world: World) -> ids.ClusterComputeResourceId:
    """A cluster that counts as having namespaces."""
    found = next(iter(world.inventory.all(Cluster).values()))
    able = msgspec.structs.replace(found, drs_enabled=True, ha_enabled=True)
    world.run(world.inventory.change(lambda edit: edit.put(able)))
    return ids.ClusterComputeResourceId(found.id)


def add(world: World, cluster: str | None, token: str | None = None, **fields: Any) -> ids.VcenterContentRegistryId:
    spec: dict[str, Any] = {"cluster": cluster, "storage": (STORAGE,), **fields}
    return world.call(Harbor.create, token, Harbor.CreateSpec(**spec))


def add_project(
    world: World, registry: ids.VcenterContentRegistryId, name: str = "web"
) -> ids.VcenterContentRegistryHarborProjectId:
    return world.call(Projects.create, registry, Projects.CreateSpec(name=name, scope=Projects.Scope.PUBLIC))


def test_a_registry_begins_as_the_contract_says(world: World, cluster: ids.ClusterComputeResourceId) -> None:
    registry = add(world, cluster)
    info = world.call(Harbor.get, registry)
    assert (info.cluster, info.creation_time, info.health) == (cluster, NOW, Health.Info(status=Health.Status.RUNNING))
    assert info.garbage_collection == Harbor.GarbageCollection(
        type=Recurrence.WEEKLY, day_of_week=DayOfWeek.SATURDAY, hour=2, minute=0
    )
    assert info.storage == (Harbor.StorageInfo(policy=STORAGE.policy, capacity=204_800, used=0),)
    assert world.call(Health.get, registry) == info.health
    assert world.call(Harbor.list) == (
        Harbor.Summary(cluster=cluster, registry=registry, version=info.version, ui_access_url=info.ui_access_url),
    )


@pytest.mark.parametrize(
    "given",
    [
        Harbor.GarbageCollection(type=Recurrence.NONE),
        Harbor.GarbageCollection(type=Recurrence.DAILY, hour=23, minute=59),
        Harbor.GarbageCollection(type=Recurrence.WEEKLY, day_of_week=DayOfWeek.MONDAY, hour=0, minute=0),
    ],
)
def test_what_is_given_is_told(
    world: World, cluster: ids.ClusterComputeResourceId, given: Harbor.GarbageCollection
) -> None:
    storage = msgspec.structs.replace(STORAGE, limit=1024)
    info = world.call(Harbor.get, add(world, cluster, garbage_collection=given, storage=(storage,)))
    assert (info.garbage_collection, info.storage[0].capacity) == (given, 1024)


@pytest.mark.parametrize(
    ("fields", "refusal", "said"),
    [
        ({"cluster": None}, InvalidArgument, "spec.cluster: is required"),
        ({"cluster": "domain-c0"}, NotFound, "domain-c0"),
        ({"storage": ()}, InvalidArgument, "must have one entry, not 0"),
        ({"storage": (STORAGE, STORAGE)}, InvalidArgument, "must have one entry, not 2"),
        ({"storage": (Harbor.StorageSpec(policy=ids.SpsStorageProfileId("no")),)}, NotFound, "'no'"),
        ({"storage": (msgspec.structs.replace(STORAGE, limit=0),)}, InvalidArgument, "from 1 to"),
        ({"garbage_collection": daily(24, 0)}, InvalidArgument, "hour"),
        ({"garbage_collection": daily(0, -1)}, InvalidArgument, "minute"),
        ({"token": "no"}, InvalidArgument, "client_token"),
    ],
)
def test_what_is_wrong_is_refused(
    world: World,
    cluster: ids.ClusterComputeResourceId,
    fields: dict[str, Any],
    refusal: type[VapiError],
    said: str,
) -> None:
    with pytest.raises(refusal) as refused:
        add(world, **{"cluster": cluster, **fields})
    assert said in str(refused.value.messages)
    assert not world.inventory.all(ContainerRegistry)


@pytest.mark.parametrize("lacking", ["drs_enabled", "ha_enabled"])
def test_a_cluster_without_namespaces(world: World, cluster: ids.ClusterComputeResourceId, lacking: str) -> None:
    without = msgspec.structs.replace(world.inventory.all(Cluster)[cluster], **{lacking: False})
    world.run(world.inventory.change(lambda edit: edit.put(without)))
    with pytest.raises(Unsupported):
        add(world, cluster)


def test_a_cluster_has_one(world: World, cluster: ids.ClusterComputeResourceId) -> None:
    registry = add(world, cluster, TOKEN)
    with pytest.raises(AlreadyExists):
        add(world, cluster)
    assert add(world, cluster, TOKEN) == add(world, cluster, TOKEN.upper()) == registry
    world.call(Harbor.delete, registry)
    assert world.call(Harbor.list) == ()
    assert add(world, cluster, TOKEN) != registry


def test_projects(world: World, cluster: ids.ClusterComputeResourceId) -> None:
    registry = add(world, cluster)
    project = add_project(world, registry)
    info = world.call(Projects.get, registry, project)
    assert (info.name, info.config_status, info.scope) == ("web", Projects.ConfigStatus.READY, Projects.Scope.PUBLIC)
    assert info.creation_time == info.update_time == NOW
    assert info.access_url is not None
    assert f"https://{info.access_url}" == f"{world.call(Harbor.get, registry).ui_access_url}/web"
    later = NOW + timedelta(hours=1)
    world.environment = msgspec.structs.replace(world.environment, now=lambda: later)
    world.call(Projects.purge, registry, project)
    info = world.call(Projects.get, registry, project)
    assert (info.creation_time, info.update_time) == (NOW, later)
    summary = Projects.Summary(project=project, name="web", scope=Projects.Scope.PUBLIC)
    assert world.call(Projects.list, registry) == (summary,)
    world.call(Projects.delete, registry, project)
    assert world.call(Projects.list, registry) == ()
    for refused in (
        lambda: world.call(Projects.get, registry, project),
        lambda: world.call(Projects.delete, registry, project),
        lambda: world.call(Projects.purge, registry, project),
    ):
        with pytest.raises(NotFound):
            refused()


@pytest.mark.parametrize("name", ["", "-a", "a-", "A", "a_b", "a" * 64, "a\n", "ä"])
def test_what_is_no_name_of_a_project(world: World, cluster: ids.ClusterComputeResourceId, name: str) -> None:
    with pytest.raises(InvalidArgument):
        add_project(world, add(world, cluster), name)


def test_names_of_projects_are_given_once(world: World, cluster: ids.ClusterComputeResourceId) -> None:
    registry = add(world, cluster)
    project = add_project(world, registry, "0" * 63)
    with pytest.raises(AlreadyExists):
        add_project(world, registry, "0" * 63)
    world.call(Projects.delete, registry, project)
    add_project(world, registry, "0" * 63)


def test_projects_go_with_their_registry(world: World, cluster: ids.ClusterComputeResourceId) -> None:
    registry = add(world, cluster)
    project = add_project(world, registry)
    world.call(Harbor.delete, registry)
    assert not world.inventory.all(RegistryProject)
    for refused in (
        lambda: world.call(Harbor.get, registry),
        lambda: world.call(Harbor.delete, registry),
        lambda: world.call(Health.get, registry),
        lambda: world.call(Projects.list, registry),
        lambda: world.call(Projects.get, registry, project),
        lambda: add_project(world, registry),
    ):
        with pytest.raises(NotFound):
            refused()


def test_it_is_disabled_since_vsphere_9(world: World) -> None:
    product = msgspec.structs.replace(world.environment.product, api_releases=("9.1",))
    world.environment = msgspec.structs.replace(world.environment, product=product)
    project = ids.VcenterContentRegistryHarborProjectId("gone")
    for refused in (
        lambda: world.call(Harbor.list),
        lambda: world.call(Harbor.get, GONE),
        lambda: world.call(Harbor.delete, GONE),
        lambda: add(world, "domain-c8"),
        lambda: world.call(Projects.list, GONE),
        lambda: add_project(world, GONE),
        lambda: world.call(Projects.get, GONE, project),
        lambda: world.call(Projects.delete, GONE, project),
        lambda: world.call(Projects.purge, GONE, project),
    ):
        with pytest.raises(VapiError) as error:
            refused()
        assert error.value.messages[0].id == "resphere.registry.disabled"
    with pytest.raises(NotFound):
        world.call(Health.get, GONE)


def test_who_may() -> None:
    def needed(operation: Any) -> set[str]:
        return {each for requirement in requirements_of(operation) for each in requirement.privileges}

    assert needed(Harbor.list) == needed(Harbor.get) == needed(Projects.list) == {"System.Read"}
    assert needed(Harbor.delete) == {"System.Read", "ContentLibrary.ManageRegistry"}
    assert needed(Harbor.create) == {
        "System.Read",
        "CertificateAuthority.Manage",
        "ContentLibrary.ManageRegistry",
        "ContentLibrary.ManageClusterRegistryResource",
    }
    for operation in (Projects.create, Projects.delete, Projects.purge):
        assert needed(operation) == {"System.Read", "ContentLibrary.ManageRegistryProject"}
