"""``com.vmware.vapi.metadata.cli.namespace``: where commands stand, for dcli."""

from __future__ import annotations

from resphere.contract.generated.vapi_metadata_cli import Namespace
from resphere.contract.metamodel.commands import joined, namespace, namespaces, tree_of
from resphere.services.call import Call
from resphere.services.checks.commands import namespaces_fingerprint
from resphere.services.checks.metadata import no_such, served_by
from resphere.services.registry import implements


@implements(Namespace.list, kept=True)
async def list_namespaces(call: Call) -> tuple[Namespace.Identity, ...]:
    """All namespaces."""
    return namespaces(tree_of(served_by(call)))


@implements(Namespace.get, kept=True)
async def get(call: Call, identity: Namespace.Identity) -> Namespace.Info:
    """A namespace with those in it.

    :raises NotFound: there is no such namespace.
    """
    found = namespace(tree_of(served_by(call)), identity)
    if found is None:
        raise no_such("namespace", joined(identity.path, identity.name))
    return found


@implements(Namespace.fingerprint, kept=True)
async def fingerprint(call: Call) -> str:
    """A digest of all namespaces."""
    return await namespaces_fingerprint(served_by(call))
