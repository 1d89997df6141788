"""``com.vmware.vapi.metadata.routing.source``: where it comes from, and why no other place is added."""

from __future__ import annotations

from functools import partial

from resphere.contract.generated import ids
from resphere.contract.generated.vapi_metadata import SourceType
from resphere.contract.generated.vapi_metadata_routing import Source
from resphere.services.call import Call
from resphere.services.checks.metadata import fingerprint as fingerprint_of
from resphere.services.checks.metadata import served_by
from resphere.services.checks.metadata_kinds import package_routing
from resphere.services.checks.metadata_sources import SOURCES, components_of, joined, kept, refusal
from resphere.services.checks.metadata_sources import source as source_of
from resphere.services.registry import implements


@implements(Source.list, kept=True)
async def list_sources(call: Call) -> tuple[str, ...]:
    """The sources that the server is made of."""
    return tuple(SOURCES)


@implements(Source.get, kept=True)
async def get(call: Call, source_id: ids.VapiMetadataSourceId) -> Source.Info:
    """One source.

    :raises NotFound: there is no such source.
    """
    found = source_of(source_id)
    return Source.Info(description=found.description, type=SourceType.FILE, filepath=found.filepath)


@implements(Source.create)
async def create(call: Call, source_id: ids.VapiMetadataSourceId, spec: Source.CreateSpec) -> None:
    """No source can be added.

    :raises AlreadyExists: there is one of that id.
    :raises NotFound: the file is none that this server takes metadata from.
    :raises InvalidArgument: nobody is asked for metadata at that address.
    """
    raise refusal(source_id, spec.type, spec.filepath, spec.address)


@implements(Source.delete)
async def delete(call: Call, source_id: ids.VapiMetadataSourceId) -> None:
    """No source can be taken away.

    :raises NotFound: there is no such source.
    :raises Unsupported: it is built into the server.
    """
    raise kept(source_id)


@implements(Source.reload)
async def reload(call: Call, source_id: ids.VapiMetadataSourceId | None) -> None:
    """Nothing has changed since the server was started, so that nothing is read again.

    :raises NotFound: there is no such source.
    """
    if source_id is not None:
        source_of(source_id)


@implements(Source.fingerprint, kept=True)
async def fingerprint(call: Call, source_id: ids.VapiMetadataSourceId | None) -> str:
    """A digest of what a source brings, or all of them.

    :raises NotFound: there is no such source.
    """
    served = served_by(call)
    make = partial(package_routing, served)
    wanted = components_of(served, source_id)
    return joined([await fingerprint_of(served, "routing", component, make) for component in wanted])
