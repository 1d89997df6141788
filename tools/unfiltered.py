"""``python -m tools.unfiltered``: services see the inventory with their caller's eyes; this finds those that do not.

``get``, ``all``, ``by``, ``require`` and ``inventory`` of a call show what its caller sees. ``unfiltered`` and
``referred`` are the whole, and the environment's inventory is nobody's but theirs. The whole is for modules of changes,
whose plans decide the same whoever asks; handlers that read, there too, and everything else must stand in
:data:`ALLOWED` with a reason.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

from resphere.access.defaults import READS
from tools.telling import tell

SERVICES = Path(__file__).parents[1] / "src" / "resphere" / "services"
DOORS = ("unfiltered", "referred")
"""The attributes of a call that show everything."""
WORK = ("run", "launch", "change")
"""The methods of a call that change something."""
DEVICES = "resphere.services.vcenter.vm.hardware.devices"
"""What changes a VM's devices."""
HOME = "call"
"""The module that the doors are in."""

PLACES = "finds what stands in a place; the list shows what is seen of that"
SHARED = "a figure that counts everybody's share"
OWN = "what is read belongs to the object that the caller was let to"
UNDER_WAY = "what is in the way, whoever's it is; the refusal names only its task"
RANK = "whether somebody administers; the reply does not tell of whom"
SOURCES = "identity sources stand in no inventory; who may know of them has the privilege on the root folder"
BACKUPS = "backups stand in no inventory; who may know of them has the privilege on the root folder"
PUBLISHED = "what is published is for everybody who has its address, and the password where there is one"
PROBED = "whether the appliance is there is told to anybody"
CHOSEN = "the privilege on the one that is named was asked before"

ALLOWED: dict[str, str] = {
    "selection.by_index": PLACES,
    "selection.by_id": PLACES,
    "selection.existing": PLACES,
    "checks.administrators.administers_all": RANK,
    "checks.administrators.require_equal": RANK,
    "checks.administrators.require_equal_to_group": RANK,
    "checks.administrators.require_equal_to_user": RANK,
    "checks.appliance_health.database": "it writes to see whether that can be done, and tells nothing else",
    "appliance.infraprofile.configs.validate": "the root folder, on which what is done to all of the server is",
    "appliance.recovery.backup.job.details.list_details": BACKUPS,
    "appliance.recovery.backup.job.job.list_jobs": BACKUPS,
    "appliance.recovery.backup.job.job.require": BACKUPS,
    "appliance.recovery.backup.schedules.get": BACKUPS,
    "appliance.recovery.backup.schedules.list_schedules": BACKUPS,
    "appliance.recovery.reconciliation.job.get": BACKUPS,
    "appliance.recovery.restore.job.get": BACKUPS,
    "checks.content_items.storage_uris": "where a library lies; its place names the datastore",
    "checks.content_packages.warnings_of": "whom the server trusts; what is told is of the package",
    "checks.datacenters.in_datacenters": PLACES,
    "resphere.vcenter.identity.directories.list_directories": SOURCES,
    "resphere.vcenter.identity.directories.get": SOURCES,
    "vcenter.identity.providers.list_providers": "everybody may ask where to log in",
    "vcenter.identity.providers.get": SOURCES,
    "checks.hosts.require_hosts": "where the hosts stand, which were required before",
    "checks.tagging.require": CHOSEN,
    "checks.event_filters.wanted_of": "the branch is refused where it is not seen",
    "checks.under_way.require_unneeded": UNDER_WAY,
    "checks.under_way.require_none_arriving": UNDER_WAY,
    "checks.under_way.require_unnamed": UNDER_WAY,
    "checks.under_way.refuse": UNDER_WAY,
    "checks.activations.begun_by": "tasks are filtered by their targets",
    "cis.tasks.list_tasks": "tasks are filtered by their targets",
    "cis.tasks.require_visible": "tasks are filtered by their targets",
    "resphere.bulk.list_bulks": "bulk operations are filtered by who has asked for them",
    "resphere.bulk.require": "bulk operations are filtered by who has asked for them",
    "resphere.content.publications.items": PUBLISHED,
    "resphere.content.publications.require_item": PUBLISHED,
    "resphere.content.publications.require_published": PUBLISHED,
    "resphere.events.eyes_now": "events are judged one by one, by their objects",
    "resphere.schedules.list_schedules": "schedules are filtered by their owners",
    "resphere.schedules.require": "schedules are filtered by their owners",
    "resphere.schedules.runs_of": "the runs of a schedule that was required before",
    "resphere.faults.rules.get": "rules stand in no inventory; who may know of them has the privilege",
    "resphere.faults.rules.warned": "that nothing has the name that the caller has given",
    "resphere.webhooks.list_dead_letters": "those of a webhook that was required before",
    "resphere.webhooks.list_webhooks": "webhooks stand in no inventory; who may know of them has the privilege",
    "resphere.sts.renew": "the directory of the caller itself",
    "resphere.users.get": "roles and permissions of the user, for whom may read of users",
    "resphere.vcenter.custom_attributes.list_attributes": "custom attributes are told to all, as in vCenter",
    "resphere.vcenter.custom_attributes.list_values": "those of an object that was required before",
    "resphere.vcenter.host.detail.get_host": "where the host stands",
    "resphere.vcenter.inventory.objects.find": "what is found is shown only if it is seen",
    "resphere.vcenter.inventory.objects.get": "where the object stands, and what its pools have",
    "resphere.vcenter.utilization.get_vm": SHARED,
    "resphere.vcenter.utilization.get_cluster": SHARED,
    "resphere.vcenter.utilization.get_datastore": SHARED,
    "vcenter.ovf.library_item.packages.with_content": OWN,
    "vcenter.authorization.permissions.get": "the privilege on the object that its id says was asked before",
    "vcenter.authorization.permissions.list_permissions": "permissions are filtered by their objects",
    "vcenter.authorization.privilege_checks.checks.list_checks": "what is asked of everybody, for who may collect it",
    "vcenter.authorization.privilege_checks.checks.info": "what is asked of everybody, for who may collect it",
    "vcenter.capacity.usage.get": SHARED,
    "vcenter.cluster.evc_mode.check_set": "hosts are filtered where the outcome names them",
    "vcenter.datastore.datastore.get_datastore": SHARED,
    "vcenter.datastore.datastore.summary": SHARED,
    "vcenter.environment_browser.config_targets.datastore_info": SHARED,
    "vcenter.folder.in_datacenters": PLACES,
    "vcenter.host.host.in_datacenter": PLACES,
    "vcenter.host.host.in_folders": PLACES,
    "vcenter.host.host.standalone": PLACES,
    "vcenter.ovf.library_item.packages.require_target": "the kind of the folder, which was required before",
    "vcenter.resource_pool.resource_pool.in_datacenters": PLACES,
    "vcenter.storage.policies.compliance.compliance.matching": OWN,
    "vcenter.storage.policies.policies.check_compatibility": OWN,
    "vcenter.storage.policies.vm._info": OWN,
    "vcenter.vm.compute.policies.get": OWN,
    "vcenter.vm.guest.customization_live.get_live": OWN,
    "vcenter.vm.machines.in_clusters": PLACES,
    "vcenter.vm.machines.list_vms": "summaries are kept with objects, which were selected before, or are all",
    "vcenter.vm.machines.nics_with_names": "a VM's configuration names its networks",
    "vcenter.vm_template.library_items.library_items.store_of_disk": OWN,
    "vcenter.vm.storage.policy.compliance.check": OWN,
    "vcenter.vm.storage.policy.compliance.get": OWN,
    "vcenter.vm.storage.policy.policy.get": OWN,
    "vstats.data.machines": "what is recorded; its machines are filtered",
    "vstats.data.placed": SHARED,
    "resphere.probes.ready": PROBED,
}
"""Function -> why it may see everything."""


def violations(folder: Path, allowed: dict[str, str]) -> Iterator[str]:
    """What goes round the caller's view in the modules below ``folder``, and what is allowed without need."""
    used: set[str] = set()
    for path in sorted(folder.rglob("*.py")):
        module = ".".join(path.relative_to(folder).with_suffix("").parts)
        if module == HOME:
            continue
        tree = ast.parse(path.read_text())
        changes = is_of_changes(tree)
        for statement in tree.body:
            name = f"{module}.{getattr(statement, 'name', '<module>')}"
            for node in ast.walk(statement):
                if not isinstance(node, ast.Attribute):
                    continue
                where = f"{path}:{node.lineno}: {name}"
                if node.attr == "inventory" and is_named(node.value, "environment"):
                    yield f"{where} reads the environment's inventory"
                elif node.attr in DOORS and name in allowed:
                    used.add(name)
                elif node.attr in DOORS and (is_reading(statement) or not changes):
                    yield f"{where} reads .{node.attr}, which shows more than its caller sees"
    for name in sorted(allowed.keys() - used):
        yield f"{name} is allowed to see everything, and does not"


def is_of_changes(tree: ast.Module) -> bool:
    """Whether a module changes something: it makes plans, or has work done."""
    return any(
        (isinstance(node, ast.ImportFrom) and node.module in ("resphere.replica.edit", DEVICES))
        or (isinstance(node, ast.Attribute) and node.attr in WORK and is_named(node.value, "call"))
        for node in ast.walk(tree)
    )


def is_reading(statement: ast.stmt) -> bool:
    """Whether a function implements an operation that reads, by the operation's name."""
    if not isinstance(statement, ast.AsyncFunctionDef):
        return False
    operations = [
        decorator.args[0].attr
        for decorator in statement.decorator_list
        if isinstance(decorator, ast.Call)
        and is_named(decorator.func, "implements")
        and isinstance(decorator.args[0], ast.Attribute)
    ]
    return any(fnmatchcase(operation, pattern) for operation in operations for pattern in READS)


def is_named(node: ast.expr, name: str) -> bool:
    """Whether an expression is the variable or ends with the attribute of that name."""
    return getattr(node, "id", None) == name or getattr(node, "attr", None) == name


if __name__ == "__main__":
    tell(violations(SERVICES, ALLOWED))
