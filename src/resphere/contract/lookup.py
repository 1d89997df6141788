"""From names and places to operations, importing only the modules that are asked for."""

from __future__ import annotations

from collections.abc import Iterator

from resphere.contract import extensions
from resphere.contract.generated import index
from resphere.contract.model import AnyOperation
from resphere.contract.places import generated_operation


def operation_at(place: str) -> AnyOperation:
    """The operation at ``module:Class.attribute`` of the generated contract, or at ``=<id>`` of our own."""
    return extensions.OPERATIONS[place[1:]] if place.startswith("=") else generated_operation(place)


def place_of(service: str, operation: str) -> str | None:
    """Where the operation stands, ``None`` where no release has it."""
    if f"{service}.{operation}" in extensions.OPERATIONS:
        return f"={service}.{operation}"
    return index.OPERATIONS.get(f"{service} {operation}")


def own_services() -> Iterator[str]:
    """The services of our own."""
    return (operation.service for operation in extensions.OPERATIONS.values())


def api_routes() -> Iterator[tuple[str, str, str]]:
    """(method, path with dispatch query, place) of everything that ``/api`` serves."""
    yield from index.API_ROUTES
    for operation in extensions.OPERATIONS.values():
        if operation.api:
            yield operation.api.method, extensions.route_text(operation.api), f"={operation.id}"
    yield from extensions.ALIASES


def rest_routes() -> Iterator[tuple[str, str, str]]:
    """(method, path with dispatch query, place) of everything that ``/rest`` serves."""
    yield from index.REST_ROUTES
    for operation in extensions.OPERATIONS.values():
        if operation.rest:
            yield operation.rest.method, extensions.route_text(operation.rest), f"={operation.id}"


def operation_ids() -> Iterator[str]:
    """The id of every operation, in the order of :func:`all_operations`; imports none of them."""
    for service_and_name in index.OPERATIONS:
        yield service_and_name.replace(" ", ".")
    yield from extensions.OPERATIONS


def all_operations() -> Iterator[AnyOperation]:
    """Every operation of the contract, vCenter's first; imports everything."""
    for place in index.OPERATIONS.values():
        yield operation_at(place)
    yield from extensions.OPERATIONS.values()
