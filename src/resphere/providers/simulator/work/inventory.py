"""Containers of the simulated inventory."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from resphere.inventory.model import ManagedObject
from resphere.providers.base import Job
from resphere.providers.simulator.durations import Durations
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica

O = TypeVar("O", bound=ManagedObject)  # noqa: E741 - an object
R = TypeVar("R")


class Inventory:
    """The store is the truth."""

    def __init__(self, inventory: Replica, durations: Durations) -> None:
        self._inventory = inventory
        self._durations = durations

    async def change_inventory(self, job: Job[O], plan: Callable[[Edit, O], R]) -> R:
        """The store is the truth: what the plan says is done."""
        return await job.complete(plan)
