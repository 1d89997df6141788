"""Datastores: made, renamed, moved, mounted on hosts and deleted."""

from __future__ import annotations

from typing import Annotated, ClassVar

import msgspec

from resphere.contract import model as m
from resphere.contract.extensions.inventory_specs import (
    DESTINATION,
    MOVE_ERRORS,
    RENAME_ERRORS,
    FolderSpec,
    NameSpec,
)
from resphere.contract.generated import ids, vcenter
from resphere.contract.releases import ALL_RELEASES


class Datastores:
    """``resphere.vcenter.datastore``: datastores made, renamed, moved, mounted on hosts and deleted."""

    class CreateSpec(m.Struct, frozen=True, kw_only=True):
        """An empty datastore in ``folder``, one for datastores, that ``hosts`` mount; ``capacity`` in bytes.

        ``multiple_host_access`` (default: set): whether more hosts than one may ever mount it.
        """

        __vapi_name__ = "resphere.vcenter.datastore.create_spec"
        name: str
        folder: ids.FolderId
        type: vcenter.Datastore.Type
        capacity: Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]
        hosts: frozenset[ids.HostSystemId]
        multiple_host_access: bool | None = None

    class HostsSpec(m.Struct, frozen=True, kw_only=True):
        """The hosts, of the same datacenter."""

        __vapi_name__ = "resphere.vcenter.datastore.hosts_spec"
        hosts: frozenset[ids.HostSystemId]

    class CreateInput(m.Struct, frozen=True, kw_only=True):
        spec: Datastores.CreateSpec

    class UpdateInput(m.Struct, frozen=True, kw_only=True):
        datastore: ids.DatastoreId
        spec: NameSpec

    class MoveInput(m.Struct, frozen=True, kw_only=True):
        datastore: ids.DatastoreId
        spec: FolderSpec

    class MountInput(m.Struct, frozen=True, kw_only=True):
        datastore: ids.DatastoreId
        spec: Datastores.HostsSpec

    class UnmountInput(m.Struct, frozen=True, kw_only=True):
        datastore: ids.DatastoreId
        spec: Datastores.HostsSpec

    class DeleteInput(m.Struct, frozen=True, kw_only=True):
        datastore: ids.DatastoreId

    create: ClassVar[m.Operation[[Datastores.CreateSpec], ids.DatastoreId]] = m.Operation(
        "resphere.vcenter.datastore",
        "create",
        input=CreateInput,
        output=lambda: ids.DatastoreId,
        api=m.Route("POST", "/api/vcenter/datastore", 201, body=("spec",), flat=True),
        errors=("already_exists", "invalid_argument", "not_found", "unauthenticated", "unauthorized"),
        privileges=(
            m.Requirement(
                ("Host.Config.Storage",),
                resource="HostSystem",
                attribute="resphere.vcenter.datastore.create_spec:hosts",
            ),
            m.Requirement(
                ("Datastore.Move",), resource="Folder", attribute="resphere.vcenter.datastore.create_spec:folder"
            ),
        ),
        releases=ALL_RELEASES,
    )

    update: ClassVar[m.Operation[[ids.DatastoreId, NameSpec], None]] = m.Operation(
        "resphere.vcenter.datastore",
        "update",
        input=UpdateInput,
        api=m.Route("PATCH", "/api/vcenter/datastore/{datastore}", 204, body=("spec",), flat=True),
        errors=RENAME_ERRORS,
        privileges=(m.Requirement(("Datastore.Rename",), resource="Datastore", parameter="datastore"),),
        releases=ALL_RELEASES,
    )

    move: ClassVar[m.Operation[[ids.DatastoreId, FolderSpec], None]] = m.Operation(
        "resphere.vcenter.datastore",
        "move",
        input=MoveInput,
        api=m.Route(
            "POST",
            "/api/vcenter/datastore/{datastore}",
            204,
            dispatch=(("action", "move"),),
            body=("spec",),
            flat=True,
        ),
        errors=MOVE_ERRORS,
        privileges=(
            m.Requirement(("Datastore.Move",), resource="Datastore", parameter="datastore"),
            m.Requirement(("Datastore.Move",), resource="Folder", attribute=DESTINATION),
        ),
        releases=ALL_RELEASES,
    )

    mount: ClassVar[m.Operation[[ids.DatastoreId, Datastores.HostsSpec], None]] = m.Operation(
        "resphere.vcenter.datastore",
        "mount",
        input=MountInput,
        api=m.Route(
            "POST",
            "/api/vcenter/datastore/{datastore}",
            204,
            dispatch=(("action", "mount"),),
            body=("spec",),
            flat=True,
        ),
        errors=("invalid_argument", "not_found", "unauthenticated", "unauthorized"),
        privileges=(
            m.Requirement(
                ("Host.Config.Storage",),
                resource="HostSystem",
                attribute="resphere.vcenter.datastore.hosts_spec:hosts",
            ),
            m.Requirement(("System.Read",), resource="Datastore", parameter="datastore"),
        ),
        releases=ALL_RELEASES,
    )

    unmount: ClassVar[m.Operation[[ids.DatastoreId, Datastores.HostsSpec], None]] = m.Operation(
        "resphere.vcenter.datastore",
        "unmount",
        input=UnmountInput,
        api=m.Route(
            "POST",
            "/api/vcenter/datastore/{datastore}",
            204,
            dispatch=(("action", "unmount"),),
            body=("spec",),
            flat=True,
        ),
        errors=("invalid_argument", "not_found", "resource_in_use", "unauthenticated", "unauthorized"),
        privileges=(
            m.Requirement(
                ("Host.Config.Storage",),
                resource="HostSystem",
                attribute="resphere.vcenter.datastore.hosts_spec:hosts",
            ),
            m.Requirement(("System.Read",), resource="Datastore", parameter="datastore"),
        ),
        releases=ALL_RELEASES,
    )

    delete: ClassVar[m.Operation[[ids.DatastoreId], None]] = m.Operation(
        "resphere.vcenter.datastore",
        "delete",
        input=DeleteInput,
        api=m.Route("DELETE", "/api/vcenter/datastore/{datastore}", 204),
        errors=("not_found", "resource_in_use", "unauthenticated", "unauthorized"),
        privileges=(m.Requirement(("Datastore.Delete",), resource="Datastore", parameter="datastore"),),
        releases=ALL_RELEASES,
    )
