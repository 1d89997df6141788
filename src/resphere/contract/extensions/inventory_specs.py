"""What operations that rename and move any kind of object take."""

from __future__ import annotations

from resphere.contract import model as m
from resphere.contract.generated import ids


class NameSpec(m.Struct, frozen=True, kw_only=True):
    """The new name: 1 to 80 characters, free beside the object."""

    __vapi_name__ = "resphere.vcenter.name_spec"
    name: str


class FolderSpec(m.Struct, frozen=True, kw_only=True):
    """The folder that the object shall stand in: one for its type, in the same datacenter."""

    __vapi_name__ = "resphere.vcenter.folder_spec"
    folder: ids.FolderId


DESTINATION = "resphere.vcenter.folder_spec:folder"
"""Where a privilege is needed on the folder that something goes to."""

RENAME_ERRORS = ("already_exists", "invalid_argument", "not_found", "resource_busy", "unauthenticated", "unauthorized")
MOVE_ERRORS = RENAME_ERRORS
