"""Custom attributes: what users note of objects, as vSphere's managed-object API has them."""

from __future__ import annotations

from typing import ClassVar

from resphere.contract import model as m
from resphere.contract.releases import ALL_RELEASES

REFUSALS = ("unauthenticated", "unauthorized")
LOOK = (m.Requirement(("System.View",), anywhere=True),)
DEFINE = (m.Requirement(("Global.ManageCustomFields",)),)
SET = (m.Requirement(("Global.SetCustomField",), anywhere=True),)
ALL = "/api/vcenter/custom-attributes"
ONE = f"{ALL}/{{attribute}}"
VALUES = f"{ALL}/values/{{object}}"


class CustomAttributes:
    """``resphere.vcenter.custom_attributes``: attributes that users define, and what objects have of them.

    Attributes are identified by their keys, which are numbers, written as text.
    """

    class CreateSpec(m.Struct, frozen=True, kw_only=True):
        """``type`` is vSphere's word for the type of objects that can have it (``VirtualMachine``, ``HostSystem``,
        ``ClusterComputeResource``, ``Datacenter``, ``Datastore``, ``Folder``, ``Network``, ``ResourcePool``); unset:
        any can."""

        __vapi_name__ = "resphere.vcenter.custom_attributes.create_spec"
        name: str
        type: str | None = None

    class UpdateSpec(m.Struct, frozen=True, kw_only=True):
        """Another name."""

        __vapi_name__ = "resphere.vcenter.custom_attributes.update_spec"
        name: str

    class Info(m.Struct, frozen=True, kw_only=True):
        """An attribute; ``key`` is the number that ``attribute`` is."""

        __vapi_name__ = "resphere.vcenter.custom_attributes.info"
        attribute: str
        key: m.Long
        name: str
        type: str | None = None

    class ListSpec(m.Struct, frozen=True, kw_only=True):
        """Those of one of these names, and those that objects of one of these types can have; unset: any."""

        __vapi_name__ = "resphere.vcenter.custom_attributes.list_spec"
        names: frozenset[str] | None = None
        types: frozenset[str] | None = None

    class Value(m.Struct, frozen=True, kw_only=True):
        """What an object has of an attribute, whose present name is ``name``."""

        __vapi_name__ = "resphere.vcenter.custom_attributes.value"
        attribute: str
        name: str
        value: str

    class SetSpec(m.Struct, frozen=True, kw_only=True):
        """What the object is to have; an empty text is nothing."""

        __vapi_name__ = "resphere.vcenter.custom_attributes.set_spec"
        value: str

    class CreateInput(m.Struct, frozen=True, kw_only=True):
        spec: CustomAttributes.CreateSpec

    class ListInput(m.Struct, frozen=True, kw_only=True):
        filter: CustomAttributes.ListSpec | None = None

    class AttributeInput(m.Struct, frozen=True, kw_only=True):
        attribute: str

    class UpdateInput(m.Struct, frozen=True, kw_only=True):
        attribute: str
        spec: CustomAttributes.UpdateSpec

    class ObjectInput(m.Struct, frozen=True, kw_only=True):
        object: str

    class SetInput(m.Struct, frozen=True, kw_only=True):
        object: str
        attribute: str
        spec: CustomAttributes.SetSpec

    class ClearInput(m.Struct, frozen=True, kw_only=True):
        object: str
        attribute: str

    create: ClassVar[m.Operation[[CustomAttributes.CreateSpec], str]] = m.Operation(
        "resphere.vcenter.custom_attributes",
        "create",
        input=CreateInput,
        output=lambda: str,
        api=m.Route("POST", ALL, 201, body=("spec",), flat=True),
        errors=("already_exists", "invalid_argument", "service_unavailable", *REFUSALS),
        privileges=DEFINE,
        releases=ALL_RELEASES,
    )

    list: ClassVar[m.Operation[[CustomAttributes.ListSpec | None], tuple[CustomAttributes.Info, ...]]] = m.Operation(
        "resphere.vcenter.custom_attributes",
        "list",
        input=ListInput,
        output=lambda: tuple[CustomAttributes.Info, ...],
        api=m.Route("GET", ALL, 200, query=("filter.names", "filter.types")),
        errors=REFUSALS,
        privileges=LOOK,
        releases=ALL_RELEASES,
    )

    get: ClassVar[m.Operation[[str], CustomAttributes.Info]] = m.Operation(
        "resphere.vcenter.custom_attributes",
        "get",
        input=AttributeInput,
        output=lambda: CustomAttributes.Info,
        api=m.Route("GET", ONE, 200),
        errors=("not_found", *REFUSALS),
        privileges=LOOK,
        releases=ALL_RELEASES,
    )

    update: ClassVar[m.Operation[[str, CustomAttributes.UpdateSpec], None]] = m.Operation(
        "resphere.vcenter.custom_attributes",
        "update",
        input=UpdateInput,
        api=m.Route("PATCH", ONE, 204, body=("spec",), flat=True),
        errors=("already_exists", "invalid_argument", "not_found", *REFUSALS),
        privileges=DEFINE,
        releases=ALL_RELEASES,
    )

    delete: ClassVar[m.Operation[[str], None]] = m.Operation(
        "resphere.vcenter.custom_attributes",
        "delete",
        input=AttributeInput,
        api=m.Route("DELETE", ONE, 204),
        errors=("not_found", *REFUSALS),
        privileges=DEFINE,
        releases=ALL_RELEASES,
    )

    list_values: ClassVar[m.Operation[[str], tuple[CustomAttributes.Value, ...]]] = m.Operation(
        "resphere.vcenter.custom_attributes",
        "list_values",
        input=ObjectInput,
        output=lambda: tuple[CustomAttributes.Value, ...],
        api=m.Route("GET", VALUES, 200),
        errors=("not_found", *REFUSALS),
        privileges=LOOK,
        releases=ALL_RELEASES,
    )

    set: ClassVar[m.Operation[[str, str, CustomAttributes.SetSpec], None]] = m.Operation(
        "resphere.vcenter.custom_attributes",
        "set",
        input=SetInput,
        api=m.Route("PUT", f"{VALUES}/{{attribute}}", 204, body=("spec",), flat=True),
        errors=("invalid_argument", "not_found", *REFUSALS),
        privileges=SET,
        releases=ALL_RELEASES,
    )

    clear: ClassVar[m.Operation[[str, str], None]] = m.Operation(
        "resphere.vcenter.custom_attributes",
        "clear",
        input=ClearInput,
        api=m.Route("DELETE", f"{VALUES}/{{attribute}}", 204),
        errors=("not_found", *REFUSALS),
        privileges=SET,
        releases=ALL_RELEASES,
    )
