"""``com.vmware.vcenter.content.registries.harbor``: Harbor registries in clusters."""

from __future__ import annotations

import asyncio

from cryptography.hazmat.primitives.serialization import Encoding

from resphere.contract.errors import AlreadyExists, InvalidArgument, Unsupported, message
from resphere.contract.generated import ids
from resphere.contract.generated.vcenter_content_registries import DayOfWeek, Harbor, Recurrence
from resphere.inventory.content.registries import Collection, ContainerRegistry
from resphere.inventory.mentions import named
from resphere.inventory.model import Cluster
from resphere.replica.edit import Edit
from resphere.rules.named_policies import require_policy
from resphere.services.call import Call
from resphere.services.checks.content import call_key
from resphere.services.checks.registries import health_of, host_of, require_registry, require_served
from resphere.services.registry import implements

DEFAULT_MIB = 204_800
"""What a registry may hold where nothing is said."""
MOST_MIB = 2**40
VERSION = "1.10.1"
"""A release of Harbor of the time of vSphere 7.0; which one a vCenter tells was not seen."""


@implements(Harbor.list, kept=True)
async def list_registries(call: Call) -> tuple[Harbor.Summary, ...]:
    """Those in clusters that the caller sees."""
    require_served(call)
    return tuple(
        Harbor.Summary(
            cluster=registry.cluster, registry=registry.id, version=VERSION, ui_access_url=ui_of(call, registry)
        )
        for registry in call.all(ContainerRegistry).values()
        if call.get(Cluster, registry.cluster) is not None
    )


@implements(Harbor.get)
async def get(call: Call, registry: ids.VcenterContentRegistryId) -> Harbor.Info:
    """One of them. Its chain of certificates is the authority of this server."""
    require_served(call)
    found = require_registry(call, registry)
    chains = await asyncio.to_thread(call.environment.certificates.trusted)
    return Harbor.Info(
        cluster=None if call.get(Cluster, found.cluster) is None else found.cluster,
        namespace=ids.NamespaceInstanceId(f"vmware-system-registry-{int(found.id[:8], 16)}"),
        version=VERSION,
        creation_time=found.created,
        ui_access_url=ui_of(call, found),
        cert_chain=tuple(each.public_bytes(Encoding.PEM).decode("ascii") for each in chains[:1]),
        garbage_collection=collection_info(found.collection),
        storage=(
            Harbor.StorageInfo(policy=ids.SpsStorageProfileId(found.policy), capacity=found.capacity_MiB, used=0),
        ),
        health=health_of(found),
    )


@implements(Harbor.create)
async def create(call: Call, client_token: str | None, spec: Harbor.CreateSpec) -> ids.VcenterContentRegistryId:
    """Have a registry run in a cluster.

    Nothing here says of a cluster that it has vSphere namespaces. Those count as having them that have what vCenter
    asks for before: DRS and vSphere HA.

    :raises NotFound: there is no such cluster, or storage policy.
    :raises Unsupported: the cluster has no vSphere namespaces.
    :raises AlreadyExists: it has a registry.
    :raises InvalidArgument: the specification is wrong.
    """
    require_served(call)
    key = call_key(call, client_token)
    if spec.cluster is None:
        raise InvalidArgument(message("resphere.registry.cluster", "spec.cluster: is required."))
    cluster_id = call.require(Cluster, spec.cluster).id
    if len(spec.storage) != 1:
        raise InvalidArgument(
            message("resphere.registry.storage", "spec.storage: must have one entry, not {0}.", len(spec.storage))
        )
    (storage,) = spec.storage
    policy = require_policy(call, storage.policy)
    capacity = DEFAULT_MIB if storage.limit is None else storage.limit
    require_within("spec.storage[0].limit", capacity, 1, MOST_MIB)
    made = ContainerRegistry(
        id=ids.VcenterContentRegistryId(call.new_uuid()),
        cluster=ids.ClusterComputeResourceId(cluster_id),
        created=call.environment.now(),
        policy=policy.id,
        capacity_MiB=capacity,
        collection=collection_of(spec.garbage_collection),
        client_token=key,
    )

    def plan(edit: Edit) -> ids.VcenterContentRegistryId:
        for known in () if key is None else call.unfiltered.by(ContainerRegistry, "client_token", key).values():
            return known.id
        cluster = edit.get(Cluster, cluster_id)
        if cluster is not None and not (cluster.drs_enabled and cluster.ha_enabled):
            raise Unsupported(
                message(
                    "resphere.registry.no_namespaces",
                    "The cluster {0} has no vSphere namespaces: it needs DRS and vSphere HA.",
                    named(cluster),
                )
            )
        if cluster is not None and call.unfiltered.by(ContainerRegistry, "cluster", cluster.id):
            raise AlreadyExists(
                message("resphere.registry.exists", "The cluster {0} has a container registry.", named(cluster))
            )
        edit.put(made)
        return made.id

    return await call.settle(plan)


@implements(Harbor.delete)
async def delete(call: Call, registry: ids.VcenterContentRegistryId) -> None:
    """Delete a registry with its projects."""
    require_served(call)
    await call.settle(lambda edit: edit.delete(ContainerRegistry, require_registry(edit, registry).id))


def ui_of(call: Call, registry: ContainerRegistry) -> str:
    """Where people would look at it."""
    return f"https://{host_of(call, registry)}"


def collection_of(given: Harbor.GarbageCollection | None) -> Collection:
    """When garbage is to be collected.

    :raises InvalidArgument: there is no such hour or minute.
    """
    if given is None:
        return Collection()
    hour, minute = given.hour or 0, given.minute or 0
    require_within("spec.garbage_collection.hour", hour, 0, 23)
    require_within("spec.garbage_collection.minute", minute, 0, 59)
    return Collection(recurrence=given.type, day=given.day_of_week or DayOfWeek.SATURDAY, hour=hour, minute=minute)


def collection_info(collection: Collection) -> Harbor.GarbageCollection:
    """When garbage is collected, as operations show it."""
    if collection.recurrence is Recurrence.NONE:
        return Harbor.GarbageCollection(type=Recurrence.NONE)
    return Harbor.GarbageCollection(
        type=collection.recurrence,
        day_of_week=collection.day if collection.recurrence is Recurrence.WEEKLY else None,
        hour=collection.hour,
        minute=collection.minute,
    )


def require_within(where: str, value: int, least: int, most: int) -> None:
    """Refuse a number that is too small or too large.

    :raises InvalidArgument: it is.
    """
    if not least <= value <= most:
        raise InvalidArgument(
            message("resphere.registry.range", "{0}: must be from {1} to {2}, not {3}.", where, least, most, value)
        )
