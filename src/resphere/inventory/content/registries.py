"""Container registries in clusters, and the projects in them."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

import msgspec

from resphere.contract.generated import ids
from resphere.contract.generated.vcenter_content_registries import DayOfWeek, Recurrence
from resphere.contract.generated.vcenter_content_registries_harbor import Projects
from resphere.inventory.model import Cluster
from resphere.replica.table import OnDelete, Reference, Table


class Collection(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """When garbage is collected. The defaults are vCenter's."""

    recurrence: Recurrence = Recurrence.WEEKLY
    day: DayOfWeek = DayOfWeek.SATURDAY
    hour: int = 2
    minute: int = 0


class ContainerRegistry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A Harbor registry in ``cluster``, which has one at most. ``client_token`` says who has made it by which call, so
    that the call can be repeated."""

    kind: ClassVar[str] = "container_registry"

    id: ids.VcenterContentRegistryId
    cluster: ids.ClusterComputeResourceId
    created: datetime
    policy: str
    capacity_MiB: int
    collection: Collection = Collection()
    client_token: str | None = None


class RegistryProject(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A project of ``registry``; ``updated`` is when all was taken out of it last, or when it was made."""

    kind: ClassVar[str] = "container_registry_project"

    id: ids.VcenterContentRegistryHarborProjectId
    registry: ids.VcenterContentRegistryId
    name: str
    scope: Projects.Scope
    created: datetime
    updated: datetime


def token_keys(registry: ContainerRegistry) -> tuple[str, ...]:
    """By which call it was made."""
    return () if registry.client_token is None else (registry.client_token,)


CONTAINER_REGISTRIES = Table(
    cls=ContainerRegistry,
    indexes={"cluster": lambda registry: (registry.cluster,), "client_token": token_keys},
    refers_to=(Reference(index="cluster", fields=("cluster",), to=(Cluster,), on_delete=OnDelete.CASCADE),),
    claims=lambda registry: (
        f"container-registry/{registry.cluster}",
        *(f"container-registry-token/{token}" for token in token_keys(registry)),
    ),
)

REGISTRY_PROJECTS = Table(
    cls=RegistryProject,
    indexes={"registry": lambda project: (project.registry,)},
    belongs_to="registry",
    refers_to=(Reference(index="registry", fields=("registry",), to=(ContainerRegistry,), on_delete=OnDelete.CASCADE),),
    claims=lambda project: (f"container-registry-project/{project.registry}/{project.name}",),
)
