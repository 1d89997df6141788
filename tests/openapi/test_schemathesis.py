"""schemathesis calls every implemented operation with what its description allows, and with what it does not.

Whatever comes: no 500, no status that the description lacks, no reply off its schema, and nothing that the description
forbids is accepted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from copy import deepcopy
from functools import cache
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from resphere.contract.lookup import all_operations
from resphere.services.registry import implementations
from tests.openapi.documents import document, told
from tests.support.calls import ALL_SESSIONS_END, NEW_CERTIFICATES
from tests.support.server import ADMINISTRATOR, PASSWORD, REQUEST_SECONDS, Client, Server

IMPLEMENTED = sorted(
    operation.id for operation in all_operations() if operation.api is not None and operation.id in implementations()
)
LEFT_OUT = {
    "resphere.events.follow": "it has no end; tests/live reads it",
    "com.vmware.cis.session.delete": "it would log the tester out; tests/live has it",
    **dict.fromkeys(ALL_SESSIONS_END, "they would log the tester out; tests/live has them"),
    **dict.fromkeys(
        ("resphere.faults.create", "resphere.faults.set"), "other calls would fail; tests/services/faults has any body"
    ),
    **dict.fromkeys(NEW_CERTIFICATES, "workers would start anew all the time; tests/live has it"),
}
LOGIN = "com.vmware.cis.session.create"
CALLS = 1200
EXAMPLES = max(4, min(12, CALLS // len(IMPLEMENTED)))
"""For each operation, within a bound for all of them together."""
REAL = 0.75
"""How often a path names what exists, so that calls get further than 404."""

LISTS = {
    "vm": "/api/vcenter/vm",
    "host": "/api/vcenter/host",
    "cluster": "/api/vcenter/cluster",
    "datacenter": "/api/vcenter/datacenter",
    "datastore": "/api/vcenter/datastore",
    "folder": "/api/vcenter/folder",
    "network": "/api/vcenter/network",
    "resource_pool": "/api/vcenter/resource-pool",
}
"""Path parameter -> where the ids are."""

CHECKS = [
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


RESHAPING = ("list.select", "list.full")
"""Options of lists that change what an item is: the schema of a reply is that of the list itself."""


def with_whole_items(described: dict[str, Any]) -> dict[str, Any]:
    """The description without the options that change what an item is."""
    references = [{"$ref": f"#/components/parameters/{name}"} for name in RESHAPING]
    copied: dict[str, Any] = deepcopy(described)
    for item in copied["paths"].values():
        for operation in item.values():
            if "parameters" in operation:
                operation["parameters"] = [each for each in operation["parameters"] if each not in references]
    return copied


@cache
def described_operations() -> dict[str, Any]:
    """Operation id -> the operation as schemathesis understands the description."""
    schema = schemathesis.openapi.from_dict(with_whole_items(document(implemented=True)))
    schema.config.generation.with_security_parameters = False
    return {
        each.ok().definition.raw["operationId"]: each.ok()
        for each in schema.get_all_operations()
        if isinstance(each, Ok)
    }


@pytest.fixture(scope="module")
def own_client(own_server: Server) -> Iterator[Client]:
    """A client of the server that may be changed."""
    with own_server.session() as client:
        yield client


@pytest.fixture(scope="module")
def known(own_client: Client) -> dict[str, list[str]]:
    """Path parameter -> ids of what exists at the start."""
    return {name: [item[name] for item in own_client.read(path)] for name, path in LISTS.items()}


def test_all_of_the_description_is_understood() -> None:
    described = document(implemented=True)["paths"].values()
    assert set(described_operations()) == {
        operation["operationId"] for item in described for operation in item.values()
    }
    assert set(described_operations()) == set(IMPLEMENTED)
    assert set(LEFT_OUT) <= set(IMPLEMENTED)


@pytest.mark.parametrize("name", [id for id in IMPLEMENTED if id not in LEFT_OUT])
def test_the_operation_is_as_described(
    name: str, own_server: Server, own_client: Client, known: dict[str, list[str]]
) -> None:
    operation = described_operations()[name]
    options: dict[str, Any] = {"auth": (ADMINISTRATOR, PASSWORD)} if name == LOGIN else {}

    @settings(
        max_examples=EXAMPLES,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases(operation), data=st.data())
    def run(case: Case[Any], data: st.DataObject) -> None:
        for parameter in set(case.path_parameters or {}) & set(known):
            if data.draw(st.floats(0, 1)) < REAL:
                case.path_parameters[parameter] = data.draw(st.sampled_from(known[parameter]))
        reply = case.call(
            base_url=own_server.url,
            session=own_client.http,
            headers={"vmware-api-session-id": own_client.token},
            verify=own_server.verify,
            timeout=REQUEST_SECONDS,
            **options,
        )
        # What a query says is text, and text is what it allows: only bodies can be wrong in type.
        checks = [*CHECKS, negative_data_rejection] if operation.body else CHECKS
        case.validate_response(reply, checks=checks)
        assert_foreseen(operation.definition.raw, reply)

    run()


def assert_foreseen(described: dict[str, Any], reply: Any) -> None:
    """A status from 500 is one of vCenter's that the operation declares (``RESOURCE_BUSY``), never the unforeseen."""
    if reply.status_code >= 500:
        error = reply.json()["error_type"]
        assert error != "INTERNAL_SERVER_ERROR", reply.text
        assert error in told(document(implemented=True), described, reply.status_code).split(", "), reply.text


def cases(operation: Any) -> st.SearchStrategy[Case[Any]]:
    """Calls that the description allows and, where it forbids anything, calls that it does not."""
    allowed: st.SearchStrategy[Case[Any]] = operation.as_strategy(GenerationMode.POSITIVE)
    if not re.search(r"{|\?", operation.path) and not operation.query and not operation.body:
        return allowed
    return st.one_of(allowed, operation.as_strategy(GenerationMode.NEGATIVE))
