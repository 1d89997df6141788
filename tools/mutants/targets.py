"""Which code is tried with faults, and by which tests: the primitives of concurrency and of access."""

from __future__ import annotations

import msgspec

ALONE = "--noconftest"
REPLICA = (ALONE, "tests/replica/test_references.py", "tests/replica/test_belonging.py")
LOADED = tuple(
    [
        f"tests/replica/test_{name}.py"
        for name in ("conflicts", "derived", "fresh", "replica", "rounds", "sealing", "waiting")
    ]
)
RACES = ("tests/services/vcenter/test_races_of_decisions.py", "tests/services/vcenter/test_races_of_states.py")
TASKS = tuple(
    [
        f"tests/tasks/test_{name}.py"
        for name in (
            "steps",
            "endings",
            "runner",
            "change",
            "inventory_changes",
            "observing",
            "undisturbed",
            "taking_over",
        )
    ]
)
PRIMITIVES = ("rely_on", "rely_on_referrers", "refer_to", "take", "vacant")


class Target(msgspec.Struct, frozen=True):
    """Modules under ``src/resphere`` that the same tests are for. ``calls``: only calls of these names are left out.

    ``tests`` are what pytest gets, with its options: what needs no ``conftest.py`` is begun sooner without.
    """

    modules: tuple[str, ...]
    tests: tuple[str, ...]
    calls: tuple[str, ...] | None = None


TARGETS = (
    Target(("replica/references.py",), REPLICA),
    Target(("replica/edit.py",), (*REPLICA, "tests/replica/test_edit.py")),
    Target(("replica/replica.py",), (*REPLICA, *LOADED)),
    Target(("replica/contention.py",), (ALONE, "tests/replica/test_contention.py", "tests/replica/test_conflicts.py")),
    Target(("replica/derived.py",), (ALONE, "tests/replica/test_derived.py")),
    Target(("replica/lease.py",), (ALONE, "tests/replica/test_lease.py")),
    Target(("replica/numbers.py",), (ALONE, "tests/replica/test_numbers.py")),
    Target(("replica/rounds.py",), (ALONE, "tests/replica/test_rounds.py")),
    Target(
        ("replica/rows.py",),
        (ALONE, *(f"tests/replica/test_{name}.py" for name in ("rows", "edit", "sharing", "replica", "sealing"))),
    ),
    Target(("replica/sealing.py",), ("tests/replica/test_sealing.py",)),
    Target(("replica/sharing.py",), (ALONE, "tests/replica/test_sharing.py")),
    Target(("store/planning.py",), (ALONE, "tests/store/test_planning.py")),
    Target(("store/liveness.py",), ("tests/store/test_beside.py", "tests/store/test_liveness.py")),
    Target(
        (
            "tasks/change.py",
            "tasks/observing.py",
            "tasks/outcomes.py",
            "tasks/record.py",
            "tasks/runner.py",
        ),
        TASKS,
    ),
    Target(
        ("tasks/intents.py",),
        (
            *TASKS,
            "tests/services/vcenter/vm/guest/test_customization_takes_time.py",
            "tests/services/vcenter/test_needed_by_work_under_way.py",
        ),
    ),
    Target(("tasks/job.py",), (*TASKS, *RACES)),
    Target(
        ("access/check.py", "access/defaults.py", "access/targets.py"),
        (ALONE, "tests/access/test_check.py", "tests/access/test_privileges.py"),
    ),
    Target(
        (
            "access/grants.py",
            "access/knowing.py",
            "access/permissions.py",
            "access/roles.py",
            "access/seen.py",
            "access/tree.py",
        ),
        (
            *(f"tests/access/test_{name}.py" for name in ("seen", "grants", "roles", "tree", "decisions")),
            "tests/auth/test_administration.py",
        ),
    ),
    Target(("access/changes.py",), (ALONE, "tests/access/test_changes.py")),
    Target(("limits/turns.py",), (ALONE, "tests/limits/test_turns.py")),
    Target(("limits/logins.py", "limits/known.py"), (ALONE, "tests/limits/test_logins.py")),
    Target(("auth/administration.py",), ("tests/auth/test_administration.py",)),
    Target(("contract/mentions.py",), (ALONE, "tests/contract/test_mentions.py")),
    Target(("rules/admission.py",), (ALONE, "tests/rules/test_admission.py"), PRIMITIVES),
    Target(("rules/new_hosts.py",), ("tests/services/vcenter/test_names_at_once.py",), PRIMITIVES),
    Target(("rules/standard_networks.py",), ("tests/services/vcenter/test_standard_networks.py",), PRIMITIVES),
    Target(
        (
            "rules/settlement/guests.py",
            "rules/settlement/machines.py",
            "rules/settlement/settlement.py",
            "rules/settlement/snapshots.py",
            "services/resphere/vcenter/vm/snapshots.py",
            "services/vcenter/cluster/evc_mode.py",
            "services/vcenter/host/entropy/external_pool.py",
            "services/vcenter/host/hardware/direct_path_devices.py",
            "services/vcenter/vm/data_sets/data_sets.py",
            "services/vcenter/vm/data_sets/entries.py",
            "services/vcenter/vm/guest/customization.py",
        ),
        RACES,
        PRIMITIVES,
    ),
    Target(
        ("services/resphere/vcenter/datastore.py", "services/resphere/vcenter/network.py"),
        (
            *(f"tests/services/vcenter/{name}.py" for name in ("test_races_of_decisions", "test_network_changes")),
            "tests/services/vcenter/test_needed_by_work_under_way.py",
        ),
        PRIMITIVES,
    ),
    Target(
        ("services/vcenter/compute/policies/policies.py",),
        ("tests/services/vcenter/compute/test_policies.py",),
        PRIMITIVES,
    ),
)
