"""The operations that one release of the API has: what a server serves that pretends to be of that release."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import msgspec

from resphere.contract import lookup
from resphere.contract.generated import index
from resphere.contract.releases import ALL_RELEASES


class Catalogue(msgspec.Struct, frozen=True, dict=True):
    """The operations of ``release``, or of all releases where it is ``None``. Our own belong to every one."""

    release: str | None = None

    @property
    def releases(self) -> tuple[str, ...]:
        """The releases that are served."""
        return (self.release,) if self.release else ALL_RELEASES

    def has(self, place: str) -> bool:
        """Whether the operation at a place of the contract is part of what is served."""
        return self.release not in index.ABSENT.get(place, ())

    def api_routes(self) -> Iterator[tuple[str, str, str]]:
        """(method, path with dispatch query, place) of everything on ``/api``."""
        return (route for route in lookup.api_routes() if self.has(route[2]))

    def rest_routes(self) -> Iterator[tuple[str, str, str]]:
        """(method, path with dispatch query, place) of everything on ``/rest``."""
        return (route for route in lookup.rest_routes() if self.has(route[2]))

    def place_of(self, service: str, operation: str) -> str | None:
        """Where an operation stands, ``None`` where the release does not have it."""
        place = lookup.place_of(service, operation)
        return place if place is not None and self.has(place) else None

    @cached_property
    def services(self) -> frozenset[str]:
        """The ids of the services that have at least one operation."""
        keys = (key.split(" ") for key, place in index.OPERATIONS.items() if self.has(place))
        return frozenset((*(service for service, _ in keys), *lookup.own_services()))
