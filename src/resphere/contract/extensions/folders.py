"""Folders: made, renamed, moved and deleted."""

from __future__ import annotations

from typing import ClassVar

from resphere.contract import model as m
from resphere.contract.generated import ids
from resphere.contract.releases import ALL_RELEASES


class Folders:
    """``resphere.vcenter.folder``: folders made, renamed, moved and deleted."""

    class CreateSpec(m.Struct, frozen=True, kw_only=True):
        """A folder in ``parent``, of the same type."""

        __vapi_name__ = "resphere.vcenter.folder.create_spec"
        name: str
        parent: ids.FolderId

    class UpdateSpec(m.Struct, frozen=True, kw_only=True):
        """The new name."""

        __vapi_name__ = "resphere.vcenter.folder.update_spec"
        name: str

    class MoveSpec(m.Struct, frozen=True, kw_only=True):
        """The folder that it shall stand in: of the same type, in the same datacenter."""

        __vapi_name__ = "resphere.vcenter.folder.move_spec"
        parent: ids.FolderId

    class CreateInput(m.Struct, frozen=True, kw_only=True):
        spec: Folders.CreateSpec

    class UpdateInput(m.Struct, frozen=True, kw_only=True):
        folder: ids.FolderId
        spec: Folders.UpdateSpec

    class MoveInput(m.Struct, frozen=True, kw_only=True):
        folder: ids.FolderId
        spec: Folders.MoveSpec

    class DeleteInput(m.Struct, frozen=True, kw_only=True):
        folder: ids.FolderId

    create: ClassVar[m.Operation[[Folders.CreateSpec], ids.FolderId]] = m.Operation(
        "resphere.vcenter.folder",
        "create",
        input=CreateInput,
        output=lambda: ids.FolderId,
        api=m.Route("POST", "/api/vcenter/folder", 201, body=("spec",), flat=True),
        errors=("already_exists", "invalid_argument", "not_found", "unauthenticated", "unauthorized"),
        privileges=(
            m.Requirement(
                ("Folder.Create",), resource="Folder", attribute="resphere.vcenter.folder.create_spec:parent"
            ),
        ),
        releases=ALL_RELEASES,
    )

    update: ClassVar[m.Operation[[ids.FolderId, Folders.UpdateSpec], None]] = m.Operation(
        "resphere.vcenter.folder",
        "update",
        input=UpdateInput,
        api=m.Route("PATCH", "/api/vcenter/folder/{folder}", 204, body=("spec",), flat=True),
        errors=("already_exists", "invalid_argument", "not_found", "unauthenticated", "unauthorized"),
        privileges=(m.Requirement(("Folder.Rename",), resource="Folder", parameter="folder"),),
        releases=ALL_RELEASES,
    )

    move: ClassVar[m.Operation[[ids.FolderId, Folders.MoveSpec], None]] = m.Operation(
        "resphere.vcenter.folder",
        "move",
        input=MoveInput,
        api=m.Route(
            "POST", "/api/vcenter/folder/{folder}", 204, dispatch=(("action", "move"),), body=("spec",), flat=True
        ),
        errors=("already_exists", "invalid_argument", "not_found", "unauthenticated", "unauthorized"),
        privileges=(
            m.Requirement(("Folder.Move",), resource="Folder", parameter="folder"),
            m.Requirement(("Folder.Move",), resource="Folder", attribute="resphere.vcenter.folder.move_spec:parent"),
        ),
        releases=ALL_RELEASES,
    )

    delete: ClassVar[m.Operation[[ids.FolderId], None]] = m.Operation(
        "resphere.vcenter.folder",
        "delete",
        input=DeleteInput,
        api=m.Route("DELETE", "/api/vcenter/folder/{folder}", 204),
        errors=("invalid_argument", "not_found", "resource_in_use", "unauthenticated", "unauthorized"),
        privileges=(m.Requirement(("Folder.Delete",), resource="Folder", parameter="folder"),),
        releases=ALL_RELEASES,
    )
