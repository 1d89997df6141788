"""Somebody with permissions along the tree, as the caller of a server in the test's own process."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from resphere.access.permissions import Permission
from resphere.access.principal import Principal
from resphere.access.roles import Role
from resphere.access.view import View
from resphere.replica.edit import Edit
from tests.support.served import Served
from tests.support.server import ADMINISTRATOR
from tests.support.world import World

ANN = Principal("ann@vsphere.local")


class Given(msgspec.Struct, frozen=True):
    """A permission, with the role that it gives."""

    permission: Permission
    role: Role


def permission(
    object: str, role: Role, propagate: bool = True, *, principal: str = ANN.name, group: bool = False
) -> Given:
    """A permission, of Ann's if no other is named."""
    stored = Permission(principal=principal, group=group, object=object, role=role.id, propagate=propagate)
    return Given(stored, role)


def give(world: World, given: Iterable[Given]) -> None:
    """Have these be all the permissions that there are, but for the administrator's."""
    given = tuple(given)
    present = {each.permission.id for each in given}

    def plan(edit: Edit) -> None:
        for id, old in world.inventory.all(Permission).items():
            if id not in present and old.principal != ADMINISTRATOR:
                edit.delete(Permission, id)
        for each in given:
            if not each.role.system:
                edit.put(each.role)
            edit.put(each.permission)

    world.run(world.inventory.change(plan))


def ask_as_ann(served: Served, given: Iterable[Given]) -> View:
    """Have whatever is asked from now on be asked by Ann, who has those permissions; returns what she sees."""
    accounts, sessions = served.accounts, served.pipeline.sessions
    served.world.run(accounts.put(ANN.name, "secret"))
    give(served.world, given)
    served.token = served.world.run(sessions.open(ANN, "password"))
    served.pipeline = msgspec.structs.replace(served.pipeline, environment=served.world.environment)
    return served.pipeline.views.of(ANN)
