"""``com.vmware.vcenter.guest.customization_specs``: specifications that are kept by name."""

from __future__ import annotations

from resphere.contract.errors import AlreadyExists, InvalidArgument, NotFound, message
from resphere.contract.generated import ids
from resphere.contract.generated.vcenter_guest import CustomizationSpec, CustomizationSpecs
from resphere.inventory.customization import CustomizationItem
from resphere.replica.edit import Edit
from resphere.rules.guests.customization_specs import require_sound
from resphere.services.call import Call
from resphere.services.registry import implements
from resphere.services.selection import limited
from resphere.services.vcenter.guest.documents import read_document, written

Name = ids.VcenterGuestCustomizationSpecId
OsType = CustomizationSpecs.OsType
MOST_LISTED = 1000
LONGEST_NAME = 255


@implements(CustomizationSpecs.list, kept=True)
async def list_(call: Call, filter: CustomizationSpecs.FilterSpec | None) -> tuple[CustomizationSpecs.Summary, ...]:
    """The specifications, by name, of those names and for that system.

    :raises UnableToAllocateResource: more than 1,000 match.
    """
    wanted = filter or CustomizationSpecs.FilterSpec()
    everything = call.all(CustomizationItem)
    names = wanted.names or everything.keys()
    found = [
        summary(everything[name])
        for name in sorted(names)
        if name in everything and wanted.OS_type in (None, os_type(everything[name].spec))
    ]
    return tuple(limited(found, MOST_LISTED, "guest.customization_specs", call.environment.list_limits))


@implements(CustomizationSpecs.get)
async def get(call: Call, name: Name) -> CustomizationSpecs.Info:
    """A specification, with its passwords: who edits it gives it back whole."""
    item = require_item(call, name)
    return CustomizationSpecs.Info(
        last_modified=item.last_modified,
        spec=CustomizationSpecs.Spec(
            fingerprint=item.fingerprint,
            spec=item.spec,
            description=item.description,
            name=item.id,
        ),
    )


@implements(CustomizationSpecs.create)
async def create(call: Call, spec: CustomizationSpecs.CreateSpec) -> Name:
    """Keep a specification.

    :raises AlreadyExists: there is one of that name.
    """
    require_name(spec.name)
    require_sound(spec.spec, "spec.spec")

    def plan(edit: Edit) -> None:
        if edit.get(CustomizationItem, spec.name) is not None:
            raise AlreadyExists(
                message(
                    "resphere.guest.customization_specs.already_exists",
                    "A customization specification named '{0}' exists already.",
                    spec.name,
                )
            )
        edit.put(made(call, spec.name, spec.description, spec.spec))

    await call.unfiltered.change(plan)
    return Name(spec.name)


@implements(CustomizationSpecs.set)
async def set_(call: Call, name: Name, spec: CustomizationSpecs.Spec) -> None:
    """Put another specification in the place of one; under another name, where ``spec`` has one.

    :raises InvalidArgument: it was changed since its fingerprint was read.
    """
    require_name(spec.name)
    require_sound(spec.spec, "spec.spec")

    def plan(edit: Edit) -> None:
        current = edit.get(CustomizationItem, name)
        if current is None:
            raise no_item(name)
        if spec.fingerprint and spec.fingerprint != current.fingerprint:
            raise InvalidArgument(
                message(
                    "resphere.guest.customization_specs.fingerprint_mismatch",
                    "The customization specification '{0}' was changed meanwhile: its fingerprint is another.",
                    name,
                )
            )
        if spec.name != name:
            if edit.get(CustomizationItem, spec.name) is not None:
                raise InvalidArgument(
                    message(
                        "resphere.guest.customization", "{0}: {1}.", "spec.name", f"'{spec.name}' is taken by another"
                    )
                )
            edit.delete(CustomizationItem, name)
        edit.put(made(call, spec.name, spec.description, spec.spec))

    await call.settle(plan)


@implements(CustomizationSpecs.delete)
async def delete(call: Call, name: Name) -> None:
    """Keep a specification no longer; what waits for a start is not touched."""

    def plan(edit: Edit) -> None:
        if edit.get(CustomizationItem, name) is None:
            raise no_item(name)
        edit.delete(CustomizationItem, name)

    await call.settle(plan)


@implements(CustomizationSpecs.export)
async def export(call: Call, name: Name, format: CustomizationSpecs.Format) -> str:
    """A specification as text, in JSON or in the XML of vCenter's other interfaces, with blank passwords."""
    item = require_item(call, name)
    return written(call.environment.structures, item, format)


@implements(CustomizationSpecs.import_specification)
async def import_specification(call: Call, customization_spec: str) -> CustomizationSpecs.CreateSpec:
    """The specification that a text holds, JSON or XML; nothing is kept.

    :raises InvalidArgument: it is neither, or holds none.
    """
    found = read_document(call.environment.structures, customization_spec)
    require_sound(found.spec, "customization_spec")
    return found


def require_item(call: Call, name: str) -> CustomizationItem:
    """The specification of that name.

    :raises NotFound: there is none.
    """
    found = call.get(CustomizationItem, name)
    if found is None:
        raise no_item(name)
    return found


def summary(item: CustomizationItem) -> CustomizationSpecs.Summary:
    """What a list says of one."""
    return CustomizationSpecs.Summary(
        name=Name(item.id),
        description=item.description,
        OS_type=os_type(item.spec),
        last_modified=item.last_modified,
    )


def os_type(spec: CustomizationSpec) -> OsType:
    """The system that a specification is for."""
    return OsType.WINDOWS if spec.configuration_spec.windows_config is not None else OsType.LINUX


def made(call: Call, name: str, description: str, spec: CustomizationSpec) -> CustomizationItem:
    """The item to be kept. Its fingerprint follows from nothing in it: passwords could be tried out on one that did."""
    return CustomizationItem(
        id=name,
        description=description,
        spec=spec,
        fingerprint=call.environment.random_bytes(8).hex(),
        last_modified=call.environment.now(),
    )


def require_name(name: str) -> None:
    """Refuse what cannot be a specification's name."""
    if not name.strip() or len(name) > LONGEST_NAME or "\0" in name:
        raise InvalidArgument(
            message(
                "resphere.guest.customization",
                "{0}: {1}.",
                "spec.name",
                f"must have 1 to {LONGEST_NAME} characters, and no NUL",
            )
        )


def no_item(name: str) -> NotFound:
    """The refusal of an unknown name."""
    return NotFound(
        message(
            "resphere.guest.customization_specs.not_found",
            "There is no customization specification named '{0}'.",
            name,
        )
    )
