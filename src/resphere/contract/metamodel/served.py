"""What of the contract one release has: services, all that their operations reach, and where it stands."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import cache

import msgspec

from resphere.contract.catalogue import Catalogue
from resphere.contract.generated import ids
from resphere.contract.metamodel.elements import (
    STANDARD_ERRORS,
    E,
    Elements,
    EnumerationElement,
    Expression,
    OperationElement,
    ServiceElement,
    StructureElement,
    inside,
    written,
)
from resphere.contract.metamodel.own import COMPONENT, own

SMALL_COMPONENTS = ("com.vmware.vapi.rest.navigation", "com.vmware.vapi.vcenter")
"""Packages that are components by themselves: seen of vCenter 6.7."""


class Package(msgspec.Struct, frozen=True):
    """The ids of what stands in a package itself: its services, and what stands in none of them."""

    services: list[ids.VapiServiceId]
    structures: list[ids.VapiStructureId]
    enumerations: list[ids.VapiEnumerationId]


Nested = tuple[list[ids.VapiStructureId], list[ids.VapiEnumerationId]]


class Served(msgspec.Struct, frozen=True):
    """What is served, by id.

    ``services`` are the names of their operations. ``nested`` maps a service or a structure to the structures and
    enumerations that stand in it, ``packages`` are sorted, and so are the ids of all else.
    """

    releases: tuple[str, ...]
    services: dict[ids.VapiServiceId, tuple[ids.VapiOperationId, ...]]
    structures: tuple[ids.VapiStructureId, ...]
    enumerations: tuple[ids.VapiEnumerationId, ...]
    packages: dict[ids.VapiPackageId, Package]
    components: dict[ids.VapiComponentId, tuple[ids.VapiPackageId, ...]]
    nested: dict[str, Nested]
    service_elements: Elements[ServiceElement]
    structure_elements: Elements[StructureElement]
    enumeration_elements: Elements[EnumerationElement]

    def service(self, id: str) -> ServiceElement:
        """A service that is served."""
        return required(self.service_elements, id)

    def operation(self, service: str, name: str) -> OperationElement:
        """An operation that is served."""
        return self.service(service).operations[name]

    @property
    def resources(self) -> frozenset[str]:
        """The types of the resources that services are about."""
        return frozenset([type for service in self.services for type in self.resource_types(service)])

    def models(self, resource: str) -> Iterator[str]:
        """The structures that are models of resources of a type: they have their ids as keys."""
        for id in self.structures:
            element = self.structure(id)
            keys = [list(inside(dict(element.fields)[key])) for key in element.model_keys or ()]
            if [["id", resource]] in keys:
                yield id

    def resource_types(self, service: str) -> tuple[str, ...]:
        """The types of the resources that a service is about, as its constant says."""
        stated = self.service(service).constants.get("RESOURCE_TYPE", ())
        return (stated,) if isinstance(stated, str) else tuple(stated)

    def structure(self, id: str) -> StructureElement:
        """A structure that is served."""
        return required(self.structure_elements, id)

    def enumeration(self, id: str) -> EnumerationElement:
        """An enumeration that is served."""
        return required(self.enumeration_elements, id)


@cache
def served(releases: tuple[str, ...]) -> Served:
    """What any of these releases has. Some hundredths of a second at the first call."""
    service_elements = Elements(written()["services"], own().services, ServiceElement)
    structure_elements = Elements(written()["structures"], own().structures, StructureElement)
    enumeration_elements = Elements(written()["enumerations"], own().enumerations, EnumerationElement)
    catalogues = [Catalogue(release) for release in releases]
    services: dict[ids.VapiServiceId, tuple[ids.VapiOperationId, ...]] = {}
    reached = {("structure", id) for id in structure_elements if id.startswith(STANDARD_ERRORS + ".")}
    for id in sorted(service_elements):
        element = required(service_elements, id)
        names = [name for name in element.operations if any(each.place_of(id, name) for each in catalogues)]
        if names or not element.operations:
            services[ids.VapiServiceId(id)] = tuple(map(ids.VapiOperationId, names))
            for name in names:
                reached.update(named_in(element.operations[name]))
    reach(reached, structure_elements)
    structures = tuple(sorted([ids.VapiStructureId(id) for kind, id in reached if kind == "structure"]))
    enumerations = tuple(sorted([ids.VapiEnumerationId(id) for kind, id in reached if kind == "enumeration"]))
    packages: dict[ids.VapiPackageId, Package] = {}
    nested: dict[str, Nested] = {}
    for service in services:
        package_at(packages, service.rpartition(".")[0]).services.append(service)
    for structure in structures:
        owner = owner_of(structure, services)
        if owner is not None:
            nested.setdefault(owner, ([], []))[0].append(structure)
        else:
            package_at(packages, required(structure_elements, structure).package).structures.append(structure)
    known_structures: frozenset[str] = frozenset(structures)
    for enumeration in enumerations:
        parent = enumeration.rpartition(".")[0]
        owner = parent if parent in known_structures else owner_of(enumeration, services)
        if owner is not None:
            nested.setdefault(owner, ([], []))[1].append(enumeration)
        else:
            package_at(packages, required(enumeration_elements, enumeration).package).enumerations.append(enumeration)
    packages = dict(sorted(packages.items()))
    components: dict[ids.VapiComponentId, tuple[ids.VapiPackageId, ...]] = {}
    for package in packages:
        component = component_of(package)
        components[component] = (*components.get(component, ()), package)
    return Served(
        releases,
        services,
        structures,
        enumerations,
        packages,
        dict(sorted(components.items())),
        nested,
        service_elements,
        structure_elements,
        enumeration_elements,
    )


def required(elements: Elements[E], id: str) -> E:
    """The element of an id that the contract itself names."""
    found = elements.get(id)
    if found is None:
        raise LookupError(f"the contract names {id}, and does not say what it is")
    return found


def package_at(packages: dict[ids.VapiPackageId, Package], id: str) -> Package:
    return packages.setdefault(ids.VapiPackageId(id), Package([], [], []))


def owner_of(id: str, services: Collection[str]) -> str | None:
    """The innermost service in which something stands, ``None`` where it is in none."""
    parent = id.rpartition(".")[0]
    while parent:
        if parent in services:
            return parent
        parent = parent.rpartition(".")[0]
    return None


def component_of(package: str) -> ids.VapiComponentId:
    """The component of a package: an area of the product (``com.vmware.vcenter``), or all that is ours."""
    if package in SMALL_COMPONENTS:
        return ids.VapiComponentId(package)
    labels = package.split(".")
    return ids.VapiComponentId(COMPONENT if labels[0] == COMPONENT else ".".join(labels[:3]))


def named_in(operation: OperationElement) -> Iterator[tuple[str, str]]:
    """(kind, id) of the structures and enumerations that an operation names itself."""
    for _, expression in operation.input:
        yield from named(expression)
    yield from named(operation.output)
    for error in operation.error_ids:
        yield "structure", error


def named(expression: Expression) -> Iterator[tuple[str, str]]:
    """(kind, id) of the structures and enumerations in a type."""
    for kind, *rest in inside(expression):
        if kind in ("structure", "enumeration"):
            yield kind, rest[0]
        elif kind == "dynamic":
            for id in rest:
                yield "structure", id


def reach(reached: set[tuple[str, str]], structures: Elements[StructureElement]) -> None:
    """Add what the structures that were reached hold."""
    waiting = [id for kind, id in reached if kind == "structure"]
    while waiting:
        for _, expression in required(structures, waiting.pop()).fields:
            for each in named(expression):
                if each not in reached:
                    reached.add(each)
                    if each[0] == "structure":
                        waiting.append(each[1])
