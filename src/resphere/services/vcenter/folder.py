"""``com.vmware.vcenter.folder``: list."""

from __future__ import annotations

from collections.abc import Collection

from resphere.contract.generated import ids, vcenter
from resphere.inventory.model import Datacenter, Folder
from resphere.inventory.relations import datacenter_of, folders_of_datacenter
from resphere.services.call import Call
from resphere.services.registry import implements
from resphere.services.selection import Criterion, by_id, by_index, existing, limited, select

MOST_LISTED = 1000


@implements(vcenter.Folder.list, kept=True)
async def list_folders(call: Call, filter: vcenter.Folder.FilterSpec | None) -> tuple[vcenter.Folder.Summary, ...]:
    """The folders that match; the root folder ``group-d1`` is one of them."""
    wanted = filter or vcenter.Folder.FilterSpec()
    names, parents = wanted.names or (), wanted.parent_folders or ()
    types = (wanted.type,) if wanted.type else ()
    found = select(
        call,
        Folder,
        [
            by_id(call, Folder, wanted.folders),
            by_index(call, Folder, "name", names, lambda o: o.name in names),
            by_index(call, Folder, "parent", parents, lambda o: o.parent in parents),
            by_index(call, Folder, "type", types, lambda o: o.type in types),
            in_datacenters(call, wanted.datacenters),
        ],
    )
    return tuple(
        vcenter.Folder.Summary(folder=ids.FolderId(o.id), name=o.name, type=o.type)
        for o in limited(found, MOST_LISTED, "folder", call.environment.list_limits)
    )


def in_datacenters(call: Call, datacenters: Collection[str] | None) -> Criterion[Folder] | None:
    """The four folders of one of the datacenters and all below them."""
    if not datacenters:
        return None
    found = {
        f.id: f for dc in existing(call, Datacenter, datacenters) for f in folders_of_datacenter(call.unfiltered, dc)
    }
    return Criterion(
        (found,),
        lambda o: (datacenter := datacenter_of(call.unfiltered, o)) is not None and datacenter.id in datacenters,
    )
