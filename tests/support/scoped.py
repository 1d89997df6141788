"""Somebody with permissions along the tree, as the caller of a server in the test's own process."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from resphere.access.principal import Principal
from resphere.access.roles import NO_ACCESS, Role
from resphere.access.tree import Permission, TreeViews
from resphere.access.view import View
from tests.support.served import Served

ANN = Principal("ann@vsphere.local", NO_ACCESS)


def permission(object: str, role: Role, propagate: bool = True) -> Permission:
    """A permission of Ann's."""
    return Permission(principal=ANN.name, object=object, role=role, propagate=propagate)


def ask_as_ann(served: Served, permissions: Iterable[Permission]) -> View:
    """Have whatever is asked from now on be asked by Ann, who has those permissions; returns what she sees."""
    accounts, sessions = served.accounts, served.pipeline.sessions
    served.world.run(accounts.put(ANN.name, "secret", ANN.role.name))
    served.token = served.world.run(sessions.open(ANN, "password"))
    views = TreeViews(served.world.inventory, permissions)
    served.pipeline = msgspec.structs.replace(served.pipeline, views=views, environment=served.world.environment)
    return views.of(ANN)
