"""Datacenters and their folders, as other objects name them."""

from __future__ import annotations

from resphere.contract.generated import ids
from resphere.contract.generated.vcenter import Folder as ApiFolder
from resphere.importing.building.identities import Identities
from resphere.importing.rows import DatacenterRow
from resphere.inventory.model import ROOT_FOLDER, Datacenter, Folder, ManagedObject

Type = ApiFolder.Type


class Tree:
    """Makes datacenters and folders as they are asked for."""

    def __init__(self, identities: Identities, rows: tuple[DatacenterRow, ...]) -> None:
        self._identities = identities
        self._rows = {row.name: row for row in rows}
        self._folders: dict[tuple[str, str], Folder] = {}
        self.objects: list[ManagedObject] = [Folder(id=ROOT_FOLDER, name="Datacenters", type=Type.DATACENTER)]
        self.datacenters: dict[str, Datacenter] = {}

    def datacenter(self, name: str) -> Datacenter:
        """The datacenter of that name."""
        if name not in self.datacenters:
            row = self._rows.get(name)
            parent = ROOT_FOLDER
            for folder in row.folders if row is not None else ():
                parent = self._folder(parent, folder, "d", Type.DATACENTER).id
            id = self._identities.id("datacenter-", row.id if row is not None else None)
            self.datacenters[name] = made = Datacenter(
                id=id,
                name=name,
                parent=parent,
                vm_folder=self._own(id, "v", "vm", Type.VIRTUAL_MACHINE),
                host_folder=self._own(id, "h", "host", Type.HOST),
                datastore_folder=self._own(id, "s", "datastore", Type.DATASTORE),
                network_folder=self._own(id, "n", "network", Type.NETWORK),
            )
            self.objects.append(made)
        return self.datacenters[name]

    def _own(self, datacenter: str, letter: str, name: str, type: Type) -> ids.FolderId:
        made = Folder(id=f"group-{letter}{self._identities.numbers.take()}", name=name, parent=datacenter, type=type)
        self.objects.append(made)
        return ids.FolderId(made.id)

    def vm_folder(self, datacenter: str, path: tuple[str, ...], id: str | None) -> str:
        """The id of a folder below a datacenter's VM folder; ``id`` is the last one's, where the source tells it."""
        parent: str = self.datacenter(datacenter).vm_folder
        for depth, name in enumerate(path):
            parent = self._folder(parent, name, "v", Type.VIRTUAL_MACHINE, id if depth == len(path) - 1 else None).id
        return parent

    def _folder(self, parent: str, name: str, letter: str, type: Type, id: str | None = None) -> Folder:
        key = (parent, name)
        if key not in self._folders:
            made = Folder(id=self._identities.id(f"group-{letter}", id), name=name, parent=parent, type=type)
            self._folders[key] = made
            self.objects.append(made)
        return self._folders[key]
