"""Paths of the inventory, and where an object of any type stands."""

from __future__ import annotations

from typing import ClassVar

from resphere.contract import model as m
from resphere.contract.generated import ids, vcenter
from resphere.contract.releases import ALL_RELEASES


class InventoryObjects:
    """``resphere.vcenter.inventory.objects``: objects of any type, by path and by id."""

    class Reference(m.Struct, frozen=True, kw_only=True):
        """An object: its id, vSphere's word for its type (``VirtualMachine``), and its name."""

        __vapi_name__ = "resphere.vcenter.inventory.objects.reference"
        object: str
        type: str
        name: str

    class Allocation(m.Struct, frozen=True, kw_only=True):
        """What a resource pool has of a resource, in MHz or MiB.

        ``effective_limit`` is the least of the limits from here up and of what the hosts have. ``reservation_used`` is
        reserved below; ``reservation_available`` could still be, with what the pools above give where the reservation
        is expandable.
        """

        __vapi_name__ = "resphere.vcenter.inventory.objects.allocation"
        reservation: m.Long
        expandable_reservation: bool
        limit: m.Long
        shares: vcenter.ResourcePool.SharesInfo
        effective_limit: m.Long
        reservation_used: m.Long
        reservation_available: m.Long

    class Pool(m.Struct, frozen=True, kw_only=True):
        """A resource pool of the chain."""

        __vapi_name__ = "resphere.vcenter.inventory.objects.pool"
        resource_pool: ids.ResourcePoolId
        name: str
        cpu: InventoryObjects.Allocation
        memory: InventoryObjects.Allocation

    class Info(m.Struct, frozen=True, kw_only=True):
        """An object with all it stands in: ``ancestors`` and ``resource_pools`` from the nearest to the farthest."""

        __vapi_name__ = "resphere.vcenter.inventory.objects.info"
        object: str
        type: str
        name: str
        path: str
        ancestors: tuple[InventoryObjects.Reference, ...]
        datacenter: ids.DatacenterId | None = None
        cluster: ids.ClusterComputeResourceId | None = None
        host: ids.HostSystemId | None = None
        resource_pools: tuple[InventoryObjects.Pool, ...]

    class FindInput(m.Struct, frozen=True, kw_only=True):
        path: str

    class GetInput(m.Struct, frozen=True, kw_only=True):
        object: str

    find: ClassVar[m.Operation[[str], InventoryObjects.Reference]] = m.Operation(
        "resphere.vcenter.inventory.objects",
        "find",
        input=FindInput,
        output=lambda: InventoryObjects.Reference,
        api=m.Route("GET", "/api/vcenter/inventory/objects", 200, query=("path",)),
        errors=("invalid_argument", "not_found", "unauthenticated", "unauthorized"),
        privileges=(m.Requirement(("System.View",), anywhere=True),),
        releases=ALL_RELEASES,
    )

    get: ClassVar[m.Operation[[str], InventoryObjects.Info]] = m.Operation(
        "resphere.vcenter.inventory.objects",
        "get",
        input=GetInput,
        output=lambda: InventoryObjects.Info,
        api=m.Route("GET", "/api/vcenter/inventory/objects/{object}", 200),
        errors=("not_found", "unauthenticated", "unauthorized"),
        privileges=(m.Requirement(("System.View",), anywhere=True),),
        releases=ALL_RELEASES,
    )
