"""Storage policies: made and deleted."""

from __future__ import annotations

from typing import ClassVar

from resphere.contract import model as m
from resphere.contract.generated import ids, vcenter
from resphere.contract.releases import ALL_RELEASES


class StoragePolicies:
    """``resphere.vcenter.storage.policies``: storage policies made and deleted."""

    class CreateSpec(m.Struct, frozen=True, kw_only=True):
        """A policy that datastores satisfy which are of one of ``datastore_types`` and have one of ``tags``.

        Unset or empty is no requirement.
        """

        __vapi_name__ = "resphere.vcenter.storage.policies.create_spec"
        name: str
        description: str | None = None
        datastore_types: frozenset[vcenter.Datastore.Type] | None = None
        tags: frozenset[ids.CisTaggingTagId] | None = None

    class CreateInput(m.Struct, frozen=True, kw_only=True):
        spec: StoragePolicies.CreateSpec

    class DeleteInput(m.Struct, frozen=True, kw_only=True):
        policy: ids.VcenterStoragePolicyId

    create: ClassVar[m.Operation[[StoragePolicies.CreateSpec], ids.VcenterStoragePolicyId]] = m.Operation(
        "resphere.vcenter.storage.policies",
        "create",
        input=CreateInput,
        output=lambda: ids.VcenterStoragePolicyId,
        api=m.Route("POST", "/api/vcenter/storage/policies", 201, body=("spec",), flat=True),
        errors=("already_exists", "invalid_argument", "not_found", "unauthenticated", "unauthorized"),
        privileges=(m.Requirement(("StorageProfile.Update",)),),
        releases=ALL_RELEASES,
    )

    delete: ClassVar[m.Operation[[ids.VcenterStoragePolicyId], None]] = m.Operation(
        "resphere.vcenter.storage.policies",
        "delete",
        input=DeleteInput,
        api=m.Route("DELETE", "/api/vcenter/storage/policies/{policy}", 204),
        errors=("invalid_argument", "not_found", "resource_in_use", "unauthenticated", "unauthorized"),
        privileges=(m.Requirement(("StorageProfile.Update",)),),
        releases=ALL_RELEASES,
    )
