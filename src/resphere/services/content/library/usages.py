"""``com.vmware.content.library.usages``: who uses a library, which is not to be deleted then."""

from __future__ import annotations

import re

from resphere.contract.errors import AlreadyExists, InvalidArgument, NotFound, message
from resphere.contract.generated import ids
from resphere.contract.generated.content_library import Usages
from resphere.inventory.content.libraries import Library, LibraryUsage
from resphere.replica.edit import Edit
from resphere.replica.table import Lookup
from resphere.services.call import Call
from resphere.services.checks.content import require
from resphere.services.registry import implements

URN = re.compile(r"[A-Za-z0-9][\w.-]{0,62}(:[^\s:\x00-\x20\x7f]{1,255}){3}\Z", re.ASCII)
MOST = 1000


@implements(Usages.list, kept=True)
async def list_usages(call: Call, library: ids.ContentLibraryId) -> Usages.ListResult:
    """Who uses the library."""
    found = require(call, Library, library)
    usages = call.by(LibraryUsage, "library", found.id).values()
    return Usages.ListResult(
        library_usage_list=tuple(Usages.Summary(usage=usage.id, resource_urn=usage.urn) for usage in usages)
    )


@implements(Usages.get, kept=True)
async def get(call: Call, library: ids.ContentLibraryId, usage: ids.ContentLibraryUsagesId) -> Usages.Info:
    """One of the usages."""
    found = require_usage(call, require(call, Library, library), usage)
    return Usages.Info(usage=found.id, resource_urn=found.urn, addition_time=found.added)


@implements(Usages.add)
async def add(call: Call, library: ids.ContentLibraryId, spec: Usages.AddSpec) -> ids.ContentLibraryUsagesId:
    """Say that a resource uses the library.

    :raises AlreadyExists: that was said before.
    :raises InvalidArgument: it is no URN, or there are very many.
    """
    if not URN.match(spec.resource_urn):
        raise InvalidArgument(
            message(
                "resphere.content.urn",
                "resource_urn: must be scheme:namespace:type:id, such as urn:vmomi:vm:vm-12, without blanks.",
            )
        )
    id = ids.ContentLibraryUsagesId(call.new_uuid())

    def plan(edit: Edit) -> None:
        found = require(edit, Library, library)
        present = call.unfiltered.by(LibraryUsage, "library", found.id)
        if any(each.urn == spec.resource_urn for each in present.values()):
            raise used_already(found, spec.resource_urn)
        if not edit.take(f"content-library-usages/{found.id}", 1, MOST - len(present)):
            raise InvalidArgument(message("resphere.content.usages", "A library has at most {0} usages.", MOST))
        edit.put(LibraryUsage(id=id, library=found.id, urn=spec.resource_urn, added=call.environment.now()))

    await call.unfiltered.change(plan)
    return id


@implements(Usages.remove)
async def remove(call: Call, library: ids.ContentLibraryId, usage: ids.ContentLibraryUsagesId) -> None:
    """Say that it is used so no more."""

    def plan(edit: Edit) -> None:
        edit.delete(LibraryUsage, require_usage(edit, require(edit, Library, library), usage).id)

    await call.settle(plan)


def require_usage(among: Lookup, library: Library, id: str) -> LibraryUsage:
    """The usage of that library.

    :raises NotFound: there is none.
    """
    found = among.get(LibraryUsage, id)
    if found is None or found.library != library.id:
        raise NotFound(
            message(
                "resphere.content.usage_not_found", "The library {0} has no usage with the id {1}.", library.name, id
            )
        )
    return found


def used_already(library: Library, urn: str) -> AlreadyExists:
    """The refusal of what was said before."""
    return AlreadyExists(
        message("resphere.content.used", "The library {0} is in use by {1} already.", library.name, urn)
    )
