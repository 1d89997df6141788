"""Whoever knows the id of a service knows where its handlers are."""

from __future__ import annotations

import pytest

from resphere import services
from resphere.services.registry import Implementation, load

VAPI = "com.vmware."
IMPLEMENTATIONS = load(services)


def place_of(service: str) -> str:
    """The module of a service, or the folder where it has services below it or several modules."""
    return f"{services.__name__}.{service.removeprefix(VAPI).lower()}"


SERVICES = {place_of(implementation.operation.service) for implementation in IMPLEMENTATIONS.values()}


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS.values(), ids=lambda each: each.operation.id)
def test_a_handler_stands_in_the_module_or_the_folder_of_its_service(implementation: Implementation) -> None:
    module, place = implementation.handler.__module__, place_of(implementation.operation.service)
    folder, _, _ = module.rpartition(".")
    assert module == place or (folder == place and module not in SERVICES)


def test_our_services_stand_apart_from_those_of_vcenter() -> None:
    ours = [each for each in IMPLEMENTATIONS.values() if not each.operation.service.startswith(VAPI)]
    assert ours
    assert all(each.handler.__module__.startswith(f"{services.__name__}.resphere.") for each in ours)
