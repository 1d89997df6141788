"""``com.vmware.vapi.metadata.cli.command``: operations as commands, for dcli."""

from __future__ import annotations

from resphere.contract.generated.vapi_metadata_cli import Command
from resphere.contract.metamodel.commands import command, identities, joined, tree_of
from resphere.services.call import Call
from resphere.services.checks.commands import commands_fingerprint
from resphere.services.checks.metadata import described, no_such, served_by
from resphere.services.registry import implements


@implements(Command.list, kept=True)
async def list_commands(call: Call, path: str | None) -> tuple[Command.Identity, ...]:
    """The commands of a namespace, or all.

    :raises NotFound: there is no such namespace.
    """
    found = identities(tree_of(served_by(call)), path)
    if found is None:
        raise no_such("namespace", path or "")
    return found


@implements(Command.get, kept=True)
async def get(call: Call, identity: Command.Identity) -> Command.Info:
    """A command with its options, and with the fields of what it gives.

    :raises NotFound: there is no such command.
    """
    found = command(served_by(call), identity, described())
    if found is None:
        raise no_such("command", joined(identity.path, identity.name))
    return found


@implements(Command.fingerprint, kept=True)
async def fingerprint(call: Call) -> str:
    """A digest of all commands."""
    served = served_by(call)
    return await commands_fingerprint(served, served.components)
