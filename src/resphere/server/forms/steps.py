"""The steps from each form of documents to the next, on plain documents.

A step knows documents as JSON has them, and nothing of the present classes: these change, and the step must not. What
is sealed comes to it opened. New fields with a default need no doing, only a number.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import msgspec

from resphere.server.forms.sample_roles import sample_roles

Plain = dict[str, Any]
Documents = dict[str, dict[str, Plain]]
"""The documents of a store: kind -> id -> document. A step changes it in place."""

DATASTORE_COUNTERS = ("admissions", "crowded")
NAMESPACE = "urn:vim25:"


class Step(msgspec.Struct, frozen=True):
    """``change`` makes the form of the one before; ``what`` says what is new, for contributors."""

    what: str
    change: Callable[[Documents], None]


def number_documents(documents: Documents) -> None:
    """What releases without numbers wrote, whichever they were.

    Until 2026-11-23 datastores said what is free, and no more what else takes room; until 2026-11-25 they counted
    admissions, and categories kept types with their namespace. All else is fields that were added with a default.
    """
    for datastore in documents.get("datastore", {}).values():
        for counter in DATASTORE_COUNTERS:
            datastore.pop(counter, None)
        if "free_space" in datastore:
            used = datastore["capacity"] - datastore.pop("free_space")
            other_used = used - disks_on(datastore["name"], documents)
            if other_used > 0:
                datastore["other_used"] = other_used
    for category in documents.get("tag_category", {}).values():
        if "associable_types" in category:
            types = {type.removeprefix(NAMESPACE) for type in category["associable_types"]}
            category["associable_types"] = sorted(types)


def disks_on(datastore: str, documents: Documents) -> int:
    """What the disks of VMs, and of their snapshots, take on the datastore of that name, in bytes."""
    machines = [*documents.get("virtual_machine", {}).values()]
    machines += [snapshot["state"] for snapshot in documents.get("snapshot", {}).values()]
    disks = [disk for machine in machines for disk in machine.get("disks", {}).values()]
    files = {disk["backing"].get("vmdk_file") or "": disk.get("capacity") or 0 for disk in disks}
    return sum(size for path, size in files.items() if path.startswith(f"[{datastore}] "))


BEYOND_COUNTERS = 10**15
"""Numbers that no new id has: a store's counter does not reach them."""


def give_uplinks(documents: Documents) -> None:
    """Each distributed switch has a port group for its uplinks among the networks, in the folder of its first."""
    networks = documents.get("network", {})
    having = {each["distributed_switch"] for each in networks.values() if each.get("uplink")}
    names = {each["name"] for kind in ("network", "folder") for each in documents.get(kind, {}).values()}
    for beside in list(networks.values()):
        switch = beside.get("distributed_switch")
        if switch is None or switch in having:
            continue
        having.add(switch)
        digits = switch.rpartition("-")[2]
        # The switch's number is in no other id: it is of the same counter.
        id = f"dvportgroup-{digits}"
        if not digits.isdecimal() or id in networks:
            id = f"dvportgroup-{BEYOND_COUNTERS + len(networks)}"
        name = base = f"DSwitch-DVUplinks-{digits}"
        taken = 0
        while name in names:
            taken += 1
            name = f"{base} ({taken})"
        names.add(name)
        kept = ("parent", "type", "distributed_switch", "distributed_switch_uuid")
        networks[id] = {"id": id, "name": name, "uplink": True, **{field: beside[field] for field in kept}}


def first_numbered(documents: Documents) -> None:
    """Form 2, the first that has a number."""
    number_documents(documents)
    give_uplinks(documents)


ADMINISTRATOR = "administrator@vsphere.local"
ADMINISTRATORS = "Administrators@vsphere.local"
ROLE_IDS = {"Admin": "-1", "ReadOnly": "-2", "NoAccess": "-5"}


def give_permissions(documents: Documents) -> None:
    """What an account may do is said by a permission on the root folder, no longer by the account; the administrator is
    of a group that may do everything. There are the sample roles that a new store has."""
    permissions = documents.setdefault("permission", {})
    first = {"principal": ADMINISTRATORS, "group": True, "object": "", "role": ROLE_IDS["Admin"], "propagate": True}
    permissions[f"global:group:{ADMINISTRATORS.lower()}"] = first
    for id, account in documents.get("account", {}).items():
        role = ROLE_IDS[account.pop("role")]
        if id != ADMINISTRATOR:
            given = {"principal": account["name"], "object": "group-d1", "role": role}
            permissions[f"group-d1:user:{id}"] = given
    documents.setdefault("role", {}).update(sample_roles())


def leave_keys_to_notes(documents: Documents) -> None:
    """What was answered under idempotency keys is noted beside the documents, also of bulk operations."""
    documents.pop("kept_reply", None)
    for bulk in documents.get("bulk", {}).values():
        for field in ("key", "digest"):
            bulk.pop(field, None)


STEPS: Mapping[int, Step] = MappingProxyType(
    {
        2: Step("forms are numbered, and distributed switches have uplink port groups", first_numbered),
        3: Step(
            "sessions tell how they were opened, and it is known from where users log in; roles, permissions, identity "
            "sources are documents, accounts have no role; there are groups, failed logins, API tokens, a key for SAML",
            give_permissions,
        ),
        4: Step(
            "there are content libraries, their items, the sessions on them, machines as templates; bulk operations; "
            "schedules; calls made under a key",
            lambda documents: None,
        ),
        5: Step(
            "what this release adds has defaults: there are settings of the appliance, which may be off, and a "
            "state of them that is desired, custom attributes, reports, backups and their schedules, which go by "
            "the appliance's time zone; schedules wait for events, and changes tell by which schedules it came to "
            "them; subscriptions say which templates were refused; new machines come with images of their drives; "
            "answers under keys of clients are no documents; states of the inventory are kept, and its clock may be "
            "set; there are rules for faults; events that were put aside tell of their traces",
            leave_keys_to_notes,
        ),
    }
)
"""By the number of the form that each makes of the one before."""
