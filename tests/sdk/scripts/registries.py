"""Container registries through the official SDK."""

from __future__ import annotations

import com.vmware.vapi.std.errors_client as errors
import com.vmware.vcenter.content.registries.harbor_client as projects
import com.vmware.vcenter.content.registries_client as registries

from tests.sdk.scripts.client import Check, Given, raises, run_checks

POLICY = "aa6d5a82-1c88-45da-85d3-3d74b91a5bad"


def new_registry(given: Given, garbage: registries.Harbor.GarbageCollection | None = None) -> str:
    """One in the first cluster that takes one."""
    clusters = given.client.vcenter.Cluster.list()
    able = next(each.cluster for each in clusters if each.drs_enabled and each.ha_enabled)
    spec = registries.Harbor.CreateSpec(
        cluster=able, storage=[registries.Harbor.StorageSpec(policy=POLICY)], garbage_collection=garbage
    )
    made: str = registries.Harbor(given.stubs).create(spec)
    return made


def its_life(given: Given) -> None:
    harbor, health = registries.Harbor(given.stubs), registries.Health(given.stubs)
    daily = registries.Harbor.GarbageCollection(type=registries.Recurrence.DAILY, hour=3, minute=30)
    registry = new_registry(given, daily)
    try:
        assert [each.registry for each in harbor.list()] == [registry]
        info = harbor.get(registry)
        assert (info.garbage_collection.type, info.garbage_collection.hour) == ("DAILY", 3)
        assert (info.storage[0].policy, info.storage[0].capacity) == (POLICY, 204800)
        assert info.health.status == health.get(registry).status == "RUNNING"
        with raises(errors.AlreadyExists):
            new_registry(given)
    finally:
        harbor.delete(registry)
    with raises(errors.NotFound):
        harbor.get(registry)


def its_projects(given: Given) -> None:
    harbor, service = registries.Harbor(given.stubs), projects.Projects(given.stubs)
    registry = new_registry(given)
    try:
        spec = projects.Projects.CreateSpec(name="web", scope=projects.Projects.Scope.PRIVATE)
        project = service.create(registry, spec)
        info = service.get(registry, project)
        assert (info.name, info.config_status, info.scope) == ("web", "READY", "PRIVATE")
        with raises(errors.AlreadyExists):
            service.create(registry, spec)
        with raises(errors.InvalidArgument):
            service.create(registry, projects.Projects.CreateSpec(name="No", scope="PUBLIC"))
        service.purge(registry, project)
        assert [each.name for each in service.list(registry)] == ["web"]
        service.delete(registry, project)
        assert service.list(registry) == []
    finally:
        harbor.delete(registry)


CHECKS: tuple[Check, ...] = (its_life, its_projects)

if __name__ == "__main__":
    run_checks(CHECKS)
