"""Digests of the commands and namespaces of the command line."""

from __future__ import annotations

from collections.abc import Iterable

from resphere.contract.generated import ids
from resphere.contract.generated.vapi_metadata_cli import Command, Namespace
from resphere.contract.metamodel import commands
from resphere.contract.metamodel.served import Served
from resphere.services.checks.metadata import described, digest

AT_ONCE = 100
"""Commands in one turn: a large one takes half a millisecond."""


async def commands_fingerprint(served: Served, components: Iterable[ids.VapiComponentId]) -> str:
    """A digest of all that is told of the commands of these components."""
    within, describe, tree = tuple(components), described(), commands.tree_of(served)
    packages = [package for component in within for package in served.components[component]]
    services = {service for package in packages for service in served.packages[package].services}
    found = {
        f"{path} {name}": Command.Identity(path=path, name=name)
        for path, inside in tree.commands.items()
        for name, (service, _) in inside.items()
        if service in services
    }
    return await digest(
        ("command", *within, *served.releases),
        found,
        lambda key: commands.command(served, found[key], describe) or found[key],
        AT_ONCE,
    )


async def namespaces_fingerprint(served: Served) -> str:
    """A digest of all namespaces."""
    tree = commands.tree_of(served)

    def told(path: str) -> Namespace.Info | Namespace.Identity:
        identity = commands.identity(path)
        return commands.namespace(tree, identity) or identity

    return await digest(("namespace", *served.releases), tree.namespaces, told, AT_ONCE)
