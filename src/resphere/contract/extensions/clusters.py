"""Clusters: made, changed, moved and deleted."""

from __future__ import annotations

from typing import ClassVar

from resphere.contract import model as m
from resphere.contract.extensions.inventory_specs import DESTINATION, MOVE_ERRORS, FolderSpec
from resphere.contract.generated import ids
from resphere.contract.releases import ALL_RELEASES


class Clusters:
    """``resphere.vcenter.cluster``: clusters made, changed, moved and deleted."""

    class CreateSpec(m.Struct, frozen=True, kw_only=True):
        """A cluster without hosts in ``folder``, one for hosts; DRS and HA are off unless set."""

        __vapi_name__ = "resphere.vcenter.cluster.create_spec"
        name: str
        folder: ids.FolderId
        drs_enabled: bool | None = None
        ha_enabled: bool | None = None

    class UpdateSpec(m.Struct, frozen=True, kw_only=True):
        """What shall change; the rest stays."""

        __vapi_name__ = "resphere.vcenter.cluster.update_spec"
        name: str | None = None
        drs_enabled: bool | None = None
        ha_enabled: bool | None = None

    class CreateInput(m.Struct, frozen=True, kw_only=True):
        spec: Clusters.CreateSpec

    class UpdateInput(m.Struct, frozen=True, kw_only=True):
        cluster: ids.ClusterComputeResourceId
        spec: Clusters.UpdateSpec

    class MoveInput(m.Struct, frozen=True, kw_only=True):
        cluster: ids.ClusterComputeResourceId
        spec: FolderSpec

    class DeleteInput(m.Struct, frozen=True, kw_only=True):
        cluster: ids.ClusterComputeResourceId

    create: ClassVar[m.Operation[[Clusters.CreateSpec], ids.ClusterComputeResourceId]] = m.Operation(
        "resphere.vcenter.cluster",
        "create",
        input=CreateInput,
        output=lambda: ids.ClusterComputeResourceId,
        api=m.Route("POST", "/api/vcenter/cluster", 201, body=("spec",), flat=True),
        errors=("already_exists", "invalid_argument", "not_found", "unauthenticated", "unauthorized"),
        privileges=(
            m.Requirement(
                ("Host.Inventory.CreateCluster",),
                resource="Folder",
                attribute="resphere.vcenter.cluster.create_spec:folder",
            ),
        ),
        releases=ALL_RELEASES,
    )

    update: ClassVar[m.Operation[[ids.ClusterComputeResourceId, Clusters.UpdateSpec], None]] = m.Operation(
        "resphere.vcenter.cluster",
        "update",
        input=UpdateInput,
        api=m.Route("PATCH", "/api/vcenter/cluster/{cluster}", 204, body=("spec",), flat=True),
        errors=("already_exists", "invalid_argument", "not_found", "unauthenticated", "unauthorized"),
        privileges=(
            m.Requirement(
                ("Host.Inventory.EditCluster", "Host.Inventory.RenameCluster"),
                resource="ClusterComputeResource",
                parameter="cluster",
            ),
        ),
        releases=ALL_RELEASES,
    )

    move: ClassVar[m.Operation[[ids.ClusterComputeResourceId, FolderSpec], None]] = m.Operation(
        "resphere.vcenter.cluster",
        "move",
        input=MoveInput,
        api=m.Route(
            "POST", "/api/vcenter/cluster/{cluster}", 204, dispatch=(("action", "move"),), body=("spec",), flat=True
        ),
        errors=MOVE_ERRORS,
        privileges=(
            m.Requirement(("Host.Inventory.MoveCluster",), resource="ClusterComputeResource", parameter="cluster"),
            m.Requirement(("Host.Inventory.MoveCluster",), resource="Folder", attribute=DESTINATION),
        ),
        releases=ALL_RELEASES,
    )

    delete: ClassVar[m.Operation[[ids.ClusterComputeResourceId], None]] = m.Operation(
        "resphere.vcenter.cluster",
        "delete",
        input=DeleteInput,
        api=m.Route("DELETE", "/api/vcenter/cluster/{cluster}", 204),
        errors=("not_found", "resource_in_use", "unauthenticated", "unauthorized"),
        privileges=(
            m.Requirement(("Host.Inventory.DeleteCluster",), resource="ClusterComputeResource", parameter="cluster"),
        ),
        releases=ALL_RELEASES,
    )
