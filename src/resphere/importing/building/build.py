"""Rows -> documents, and whether those are sound."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from resphere.contract.errors import VapiError
from resphere.importing.building.compute import Compute
from resphere.importing.building.connections import Datastores, Networks
from resphere.importing.building.identities import Identities
from resphere.importing.building.machines import Machines, rows_of
from resphere.importing.building.tree import Tree
from resphere.importing.report import Place, Report
from resphere.importing.rows import MachineRow, Rows
from resphere.inventory.custom_attributes import CustomAttribute, CustomValue, value_id
from resphere.inventory.model import ManagedObject, VirtualMachine
from resphere.replica.table import Stored
from resphere.rules.soundness.check import findings
from resphere.services.resphere.vcenter.custom_attributes import require_name, require_value

KINDS = ("datacenter", "cluster", "host", "resource_pool", "datastore", "network", "virtual_machine", "snapshot")
"""What a report counts."""


def build(rows: Rows, report: Report) -> tuple[Stored, ...]:
    """The documents of rows, sound as an inventory file must be.

    :raises ImportFault: there were faults, in the rows or before; all are told.
    """
    identities = Identities(report, _given(rows))
    tree = Tree(identities, rows.datacenters)
    compute = Compute(rows, tree, identities, report)
    networks = Networks(rows, compute, tree, identities, report)
    datastores = Datastores(rows, compute, tree, identities, report)
    machines = Machines(rows, tree, compute, (datastores, networks), identities, report)
    placed: list[tuple[ManagedObject, Place | None]] = []
    ids: dict[str, MachineRow] = {}
    for row in rows_of(rows):
        vm, snapshots = machines.built(row)
        ids[vm.id] = row
        placed.append((vm, row.place))
        placed += [(snapshot, given.place) for snapshot, given in zip(snapshots, row.snapshots, strict=True)]
    placed += compute.objects(datastores.on_vsan())
    placed += networks.objects()
    placed += datastores.objects([item for item, _ in placed])
    placed += [(item, None) for item in tree.objects]
    objects = [item for item, _ in placed]
    for finding in findings(objects):
        item, place = placed[finding.position]
        report.fault(place, f"{item.name}: {finding.field}: {finding.message}")
    further = tuple(_custom(ids, identities, report))
    report.raise_any()
    counts = Counter(item.kind for item in objects)
    report.made({kind: counts[kind] for kind in KINDS} | {"custom_value": max(len(further) - 1, 0)})
    return (*objects, *further)


def _given(rows: Rows) -> Iterator[str | None]:
    for kind in (rows.datacenters, rows.clusters, rows.hosts, rows.pools, rows.datastores, rows.networks):
        yield from (row.id for row in kind)
    for machine in rows.machines:
        yield machine.id
        yield machine.folder_id
        yield from (snapshot.id for snapshot in machine.snapshots)
    yield from (network.switch_id for network in rows.networks)


def _custom(machines: dict[str, MachineRow], identities: Identities, report: Report) -> Iterator[Stored]:
    """Custom attributes of machines, and their values."""
    attributes: dict[str, CustomAttribute] = {}
    for id, row in machines.items():
        for name, value in row.custom:
            place = row.place.at(name)
            try:
                if name not in attributes:
                    require_name(name)
                    attributes[name] = made = CustomAttribute(
                        id=str(identities.numbers.take()), name=name, type=VirtualMachine.resource_type
                    )
                    yield made
                require_value(value)
            except VapiError as refusal:
                report.fault(place, str(refusal))
                continue
            attribute = attributes[name].id
            yield CustomValue(id=value_id(id, attribute), object=id, attribute=attribute, value=value)
