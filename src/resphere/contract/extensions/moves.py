"""Virtual machines, hosts, datacenters and resource pools: renamed and moved."""

from __future__ import annotations

from typing import ClassVar

from resphere.contract import model as m
from resphere.contract.extensions.inventory_specs import (
    DESTINATION,
    MOVE_ERRORS,
    RENAME_ERRORS,
    FolderSpec,
    NameSpec,
)
from resphere.contract.generated import ids
from resphere.contract.releases import ALL_RELEASES


class Machines:
    """``resphere.vcenter.vm``: virtual machines renamed, and moved in the inventory; files and host stay."""

    class MoveSpec(m.Struct, frozen=True, kw_only=True):
        """The folder, the resource pool of the same cluster or host, or both."""

        __vapi_name__ = "resphere.vcenter.vm.move_spec"
        folder: ids.FolderId | None = None
        resource_pool: ids.ResourcePoolId | None = None

    class UpdateInput(m.Struct, frozen=True, kw_only=True):
        vm: ids.VirtualMachineId
        spec: NameSpec

    class MoveInput(m.Struct, frozen=True, kw_only=True):
        vm: ids.VirtualMachineId
        spec: Machines.MoveSpec

    update: ClassVar[m.Operation[[ids.VirtualMachineId, NameSpec], None]] = m.Operation(
        "resphere.vcenter.vm",
        "update",
        input=UpdateInput,
        api=m.Route("PATCH", "/api/vcenter/vm/{vm}", 204, body=("spec",), flat=True),
        errors=RENAME_ERRORS,
        privileges=(m.Requirement(("VirtualMachine.Config.Rename",), resource="VirtualMachine", parameter="vm"),),
        releases=ALL_RELEASES,
    )

    move: ClassVar[m.Operation[[ids.VirtualMachineId, Machines.MoveSpec], None]] = m.Operation(
        "resphere.vcenter.vm",
        "move",
        input=MoveInput,
        api=m.Route("POST", "/api/vcenter/vm/{vm}", 204, dispatch=(("action", "move"),), body=("spec",), flat=True),
        errors=MOVE_ERRORS,
        privileges=(
            m.Requirement(("VirtualMachine.Inventory.Move",), resource="VirtualMachine", parameter="vm"),
            m.Requirement(
                ("VirtualMachine.Inventory.Move",),
                resource="Folder",
                attribute="resphere.vcenter.vm.move_spec:folder",
            ),
            m.Requirement(
                ("Resource.AssignVMToPool",),
                resource="ResourcePool",
                attribute="resphere.vcenter.vm.move_spec:resource_pool",
            ),
        ),
        releases=ALL_RELEASES,
    )


class HostMoves:
    """``resphere.vcenter.host``: hosts moved into clusters and out of them."""

    class MoveSpec(m.Struct, frozen=True, kw_only=True):
        """Either the cluster that takes the host, or the folder where it stands alone; in the same datacenter."""

        __vapi_name__ = "resphere.vcenter.host.move_spec"
        cluster: ids.ClusterComputeResourceId | None = None
        folder: ids.FolderId | None = None

    class UpdateInput(m.Struct, frozen=True, kw_only=True):
        host: ids.HostSystemId
        spec: NameSpec

    class MoveInput(m.Struct, frozen=True, kw_only=True):
        host: ids.HostSystemId
        spec: HostMoves.MoveSpec

    update: ClassVar[m.Operation[[ids.HostSystemId, NameSpec], None]] = m.Operation(
        "resphere.vcenter.host",
        "update",
        input=UpdateInput,
        api=m.Route("PATCH", "/api/vcenter/host/{host}", 204, body=("spec",), flat=True),
        errors=("not_found", "resource_busy", "unauthenticated", "unauthorized", "unsupported"),
        privileges=(m.Requirement(("Host.Config.Settings",), resource="HostSystem", parameter="host"),),
        releases=ALL_RELEASES,
    )

    move: ClassVar[m.Operation[[ids.HostSystemId, HostMoves.MoveSpec], None]] = m.Operation(
        "resphere.vcenter.host",
        "move",
        input=MoveInput,
        api=m.Route("POST", "/api/vcenter/host/{host}", 204, dispatch=(("action", "move"),), body=("spec",), flat=True),
        errors=(*MOVE_ERRORS, "not_allowed_in_current_state"),
        privileges=(
            m.Requirement(("Host.Inventory.MoveHost",), resource="HostSystem", parameter="host"),
            m.Requirement(
                ("Host.Inventory.EditCluster",),
                resource="ClusterComputeResource",
                attribute="resphere.vcenter.host.move_spec:cluster",
            ),
            m.Requirement(
                ("Host.Inventory.MoveHost",), resource="Folder", attribute="resphere.vcenter.host.move_spec:folder"
            ),
        ),
        releases=ALL_RELEASES,
    )


class Datacenters:
    """``resphere.vcenter.datacenter``: datacenters renamed and moved."""

    class UpdateInput(m.Struct, frozen=True, kw_only=True):
        datacenter: ids.DatacenterId
        spec: NameSpec

    class MoveInput(m.Struct, frozen=True, kw_only=True):
        datacenter: ids.DatacenterId
        spec: FolderSpec

    update: ClassVar[m.Operation[[ids.DatacenterId, NameSpec], None]] = m.Operation(
        "resphere.vcenter.datacenter",
        "update",
        input=UpdateInput,
        api=m.Route("PATCH", "/api/vcenter/datacenter/{datacenter}", 204, body=("spec",), flat=True),
        errors=RENAME_ERRORS,
        privileges=(m.Requirement(("Datacenter.Rename",), resource="Datacenter", parameter="datacenter"),),
        releases=ALL_RELEASES,
    )

    move: ClassVar[m.Operation[[ids.DatacenterId, FolderSpec], None]] = m.Operation(
        "resphere.vcenter.datacenter",
        "move",
        input=MoveInput,
        api=m.Route(
            "POST",
            "/api/vcenter/datacenter/{datacenter}",
            204,
            dispatch=(("action", "move"),),
            body=("spec",),
            flat=True,
        ),
        errors=MOVE_ERRORS,
        privileges=(
            m.Requirement(("Datacenter.Move",), resource="Datacenter", parameter="datacenter"),
            m.Requirement(("Datacenter.Move",), resource="Folder", attribute=DESTINATION),
        ),
        releases=ALL_RELEASES,
    )


class PoolMoves:
    """``resphere.vcenter.resource_pool``: resource pools moved, with what is in them."""

    class MoveSpec(m.Struct, frozen=True, kw_only=True):
        """The resource pool that it shall stand in, of the same cluster or host."""

        __vapi_name__ = "resphere.vcenter.resource_pool.move_spec"
        parent: ids.ResourcePoolId

    class MoveInput(m.Struct, frozen=True, kw_only=True):
        resource_pool: ids.ResourcePoolId
        spec: PoolMoves.MoveSpec

    move: ClassVar[m.Operation[[ids.ResourcePoolId, PoolMoves.MoveSpec], None]] = m.Operation(
        "resphere.vcenter.resource_pool",
        "move",
        input=MoveInput,
        api=m.Route(
            "POST",
            "/api/vcenter/resource-pool/{resource_pool}",
            204,
            dispatch=(("action", "move"),),
            body=("spec",),
            flat=True,
        ),
        errors=(*MOVE_ERRORS, "unable_to_allocate_resource"),
        privileges=(
            m.Requirement(("Resource.MovePool",), resource="ResourcePool", parameter="resource_pool"),
            m.Requirement(
                ("Resource.MovePool",),
                resource="ResourcePool",
                attribute="resphere.vcenter.resource_pool.move_spec:parent",
            ),
        ),
        releases=ALL_RELEASES,
    )
