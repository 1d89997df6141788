"""What histories of random operations have in common, whatever they do to their small vCenter."""

from __future__ import annotations

import random
import shutil
import tempfile
from pathlib import Path
from typing import Any

import msgspec
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from resphere.contract.errors import VapiError
from resphere.contract.generated import cis_tagging
from resphere.contract.model import AnyOperation
from resphere.inventory.model import KINDS
from tests.support.invariants import require_sound
from tests.support.world import World


class History(RuleBasedStateMachine):
    """A small vCenter with a category of tags, which may be restarted at any moment and stays sound."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        # Of the machine, not of a world: a restarted one must not draw the same identities again.
        self.random_bytes = random.Random(1).randbytes
        self.world = self.opened(None)
        self.category = self.world.call(
            cis_tagging.Category.create,
            cis_tagging.Category.CreateSpec(
                name="c",
                description="",
                cardinality=cis_tagging.CategoryModel.Cardinality.MULTIPLE,
                associable_types=frozenset(),
            ),
        )

    def opened(self, objects: tuple[()] | None) -> World:
        """A world on the store, with the usual objects or with what is there."""
        world = World(self.folder, objects)
        world.environment = msgspec.structs.replace(world.environment, random_bytes=self.random_bytes)
        return world

    def teardown(self) -> None:
        self.world.__exit__()
        shutil.rmtree(self.folder)

    def attempt(self, operation: AnyOperation, *arguments: Any) -> Any:
        """The result, or ``None`` where the operation refuses by an error that it declares."""
        try:
            return self.world.call(operation, *arguments)
        except VapiError as error:
            if error.error_type.lower() not in (*operation.errors, "error"):
                raise AssertionError(f"{operation.id} does not declare {error.error_type}: {error}") from error
            return None

    @rule()
    def restart(self) -> None:
        """What stands in the store is what stood in memory."""
        before = {cls: dict(self.world.inventory.all(cls)) for cls in KINDS.values()}
        self.world.__exit__()
        self.world = self.opened(())
        assert {cls: dict(self.world.inventory.all(cls)) for cls in KINDS.values()} == before

    @invariant()
    def the_inventory_is_sound(self) -> None:
        require_sound(self.world.inventory)
