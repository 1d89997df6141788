"""The contract as a whole: everything is there, typed, and reachable."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter

import msgspec

from resphere.contract import extensions, lookup
from resphere.contract.generated import index, vcenter, vcenter_vm
from resphere.contract.model import AnyOperation

GENERATED = [lookup.operation_at(place) for place in index.OPERATIONS.values()]
EVERY = list(lookup.all_operations())


def test_every_operation_of_vcenter_is_there_once() -> None:
    assert len(GENERATED) == 1525
    assert len({operation.id for operation in GENERATED}) == 1525
    assert len({operation.service for operation in GENERATED}) == 572


def test_operations_by_release() -> None:
    releases = Counter(release for operation in GENERATED for release in operation.releases)
    assert releases == {"7.0": 938, "8.0": 1111, "9.1": 1402}


def test_operations_that_public_clients_use() -> None:
    assert sum(1 for operation in GENERATED if operation.clients) == 484


def test_every_type_can_be_decoded_and_encoded() -> None:
    assert not {operation.id: reason for operation in EVERY if (reason := undecodable(operation))}


def undecodable(operation: AnyOperation) -> str:
    """Why input or output of an operation cannot be decoded; empty where they can."""
    try:
        for expected in (operation.input, operation.output):
            if expected is not None:
                msgspec.json.Decoder(expected)
    except TypeError as error:
        return str(error)
    return ""


def test_every_route_accounts_for_every_parameter() -> None:
    """A parameter travels in the path, the query, a header or the body, and in one of them only."""
    routed = [(operation, operation.api) for operation in EVERY if operation.api is not None]
    assert len(routed) > 1000
    for operation, route in routed:
        path = re.findall(r"{(\w+)}", route.path)
        query = {name.partition(".")[0] for name in route.query}
        places = Counter([*path, *query, *route.body, *(name for name, _ in route.headers)])
        fields = {field.encode_name: field for field in msgspec.structs.fields(operation.input)}
        assert set(places) <= set(fields), operation.id
        # A structure without fields has nothing that could travel in a query.
        assert all(not fields[name].required for name in set(fields) - set(places)), operation.id
        assert set(places.values()) <= {1}, operation.id


def test_statuses_are_those_of_vcenter() -> None:
    assert vcenter.VM.list.api is not None
    assert vcenter.VM.create.api is not None
    assert vcenter_vm.Power.start.api is not None
    assert vcenter.VM.clone_task.api is not None
    assert vcenter.VM.list.api.status == 200
    assert vcenter.VM.create.api.status == 201
    assert vcenter_vm.Power.start.api.status == 204
    assert vcenter.VM.clone_task.api.status == 202


def test_extensions_do_not_pretend_to_be_vcenters() -> None:
    assert extensions.OPERATIONS
    assert all(operation.service.startswith("resphere.") for operation in extensions.OPERATIONS.values())
    assert not set(extensions.OPERATIONS) & {operation.id for operation in GENERATED}


def test_finding_one_operation_imports_only_what_it_needs() -> None:
    program = (
        "import sys\n"
        "from resphere.contract.lookup import operation_at\n"
        "operation_at('cis:Session.get')\n"
        "loaded = [m for m in sys.modules if m.startswith('resphere.contract.generated.')]\n"
        "assert len(loaded) < 60, sorted(loaded)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, env=os.environ)


def test_ids_are_known_without_the_operations() -> None:
    assert list(lookup.operation_ids()) == [operation.id for operation in EVERY]
