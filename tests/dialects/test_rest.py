"""What is particular to ``/rest``: which URLs it knows, how queries number lists, how tasks and releases answer."""

from __future__ import annotations

import json

import pytest

from resphere.contract.catalogue import Catalogue
from resphere.contract.errors import InvalidArgument, UnexpectedInput
from resphere.contract.lookup import operation_at
from resphere.contract.model import AnyOperation
from resphere.dialects.api import ApiDialect
from resphere.dialects.base import Dialect, Outcome, Refused, Request, Resolved
from resphere.dialects.rest import RestDialect
from resphere.dialects.rest_query import shaped, tree
from tests.support.calls import minimal_input
from tests.support.rest_calls import rest_call

EVERYTHING = RestDialect(Catalogue().rest_routes())
API = ApiDialect(Catalogue().api_routes())
UNKNOWN_URL = "com.vmware.vapi.rest.operationsForUrlNotFound"


async def no_body(_: int) -> bytes:
    """A body that nobody asks for."""
    raise AssertionError("the dialect must not read the body to know the operation")


def request(method: str, target: str) -> Request:
    path, _, query = target.partition("?")
    return Request(method, path, query.encode(), {}, "192.0.2.1")


def resolved(method: str, target: str, dialect: RestDialect = EVERYTHING) -> Outcome:
    outcome = dialect.resolve(request(method, target), no_body)
    assert isinstance(outcome, (Resolved, Refused))
    return outcome


def names(query: str) -> tuple[str, ...]:
    """The names that a list of VMs is asked for."""
    target = f"/rest/vcenter/vm?{query}"
    outcome = resolved("GET", target)
    assert isinstance(outcome, Resolved)
    found: tuple[str, ...] = EVERYTHING.decode(outcome, request("GET", target), b"").filter.names  # type: ignore[attr-defined]
    return tuple(found)


def assert_unknown(outcome: Outcome) -> None:
    assert isinstance(outcome, Refused)
    reply = EVERYTHING.error(outcome.error, outcome)
    body = json.loads(reply.body)
    assert (reply.status, body["type"]) == (404, "com.vmware.vapi.std.errors.not_found")
    assert [message["id"] for message in body["value"]["messages"]] == [UNKNOWN_URL]


def test_numbered_elements_stand_in_the_order_of_their_numbers() -> None:
    given = {f"list.{number}": [f"n{number}"] for number in (10, 2, 1)}
    assert shaped(tree(given)["list"], tuple[str, ...], "list") == ["n1", "n2", "n10"]
    assert set(names("filter.names.2=b&filter.names.1=a")) == {"a", "b"}


@pytest.mark.parametrize("key", ["9" * 5000, "9" * 10, "%D9%A1", "%C2%B2", "-1", "1.5", "x", ""])
def test_what_is_no_number_of_an_element(key: str) -> None:
    """Python itself refuses to read 5,000 digits as a number; that is the client's error and not the server's."""
    with pytest.raises(InvalidArgument, match=r"filter\.names"):
        names(f"filter.names.{key}=web")


@pytest.mark.parametrize("word", ["null", "NULL"])
@pytest.mark.parametrize(("dialect", "query"), [(EVERYTHING, "rest|filter.type"), (API, "api|type")])
def test_a_query_holds_no_null(dialect: Dialect, query: str, word: str) -> None:
    prefix, _, key = query.partition("|")
    target = f"/{prefix}/vcenter/folder?{key}={word}"
    outcome = dialect.resolve(request("GET", target), no_body)
    assert isinstance(outcome, Resolved)
    with pytest.raises(InvalidArgument, match=f"{key}: Invalid enum value '{word}'; allowed are DATACENTER, "):
        dialect.decode(outcome, request("GET", target), b"")


def test_null_is_a_name_like_any_other() -> None:
    assert names("filter.names=null") == ("null",)


def test_identifiers_of_mapped_paths_lose_their_prefix() -> None:
    outcome = resolved("GET", "/rest/com/vmware/cis/tagging/tag/id:urn:vmomi:InventoryServiceTag:1:GLOBAL")
    assert isinstance(outcome, Resolved)
    assert outcome.operation.id == "com.vmware.cis.tagging.tag.get"
    assert outcome.parameters == {"tag_id": "urn:vmomi:InventoryServiceTag:1:GLOBAL"}


def test_a_body_may_repeat_the_path_and_no_more() -> None:
    """As govmomi asks for the tags of a category."""
    target = "/rest/com/vmware/cis/tagging/tag/id:c-1?~action=list-tags-for-category"
    outcome = resolved("POST", target)
    assert isinstance(outcome, Resolved)
    for body in (b"", b"{}", b"null", b'{"category_id": "c-1"}'):
        assert EVERYTHING.decode(outcome, request("POST", target), body).category_id == "c-1"  # type: ignore[attr-defined]
    for body in (b'{"category_id": "c-2"}', b'{"category_id": ["c-1"]}', b"[]", b"17", b'{"', b'{"\xff": 1}'):
        with pytest.raises(InvalidArgument):
            EVERYTHING.decode(outcome, request("POST", target), body)
    with pytest.raises(UnexpectedInput, match="other"):
        EVERYTHING.decode(outcome, request("POST", target), b'{"other": "c-1"}')


MAPPED_ACTIONS = [
    (text, operation)
    for _, text, place in Catalogue().rest_routes()
    if "?~action=" in text and text.partition("?")[0].rpartition("/")[2].startswith("id:")
    for operation in [operation_at(place)]
    if operation.api is not None
]


@pytest.mark.parametrize(("text", "operation"), MAPPED_ACTIONS, ids=lambda value: getattr(value, "id", None))
def test_an_identifier_of_a_mapped_path_may_stand_in_the_body(text: str, operation: AnyOperation) -> None:
    """As clients send it that were written before the path had it."""
    value = minimal_input(operation)
    path, _, query = text.partition("?")
    base, _, name = path.rpartition("/")
    name = name.removeprefix("id:{").removesuffix("}")
    body = json.loads(rest_call(operation, value).body or "{}")
    body[name] = "some-id"
    outcome = resolved("POST", f"{base}?{query}")
    assert isinstance(outcome, Resolved)
    assert (outcome.operation, outcome.parameters) == (operation, {})
    decoded = EVERYTHING.decode(outcome, request("POST", f"{base}?{query}"), json.dumps(body).encode())
    by_path = resolved("POST", f"{base}/id:some-id?{query}")
    assert isinstance(by_path, Resolved)
    assert decoded == EVERYTHING.decode(by_path, request("POST", text), json.dumps(body).encode())
    del body[name]
    with pytest.raises(InvalidArgument, match=f"^{name}: is required"):
        EVERYTHING.decode(outcome, request("POST", f"{base}?{query}"), json.dumps(body).encode())


def unexpected(method: str, target: str, body: bytes = b"") -> tuple[str, ...]:
    """The arguments of the refusal of fields that nobody expects."""
    outcome = resolved(method, target)
    assert isinstance(outcome, Resolved)
    with pytest.raises(UnexpectedInput) as raised:
        EVERYTHING.decode(outcome, request(method, target), body)
    (message,) = raised.value.messages
    assert message.id == "vapi.data.structure.field.unexpected"
    return message.args


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("~action=clone&vmw-task=true", "[vmw-task]"),
        ("vmw-task=true&~action=clone", "[vmw-task]"),
        ("~action=clone", "[~action]"),
        ("b=1&a=1", "[a, b]"),
    ],
)
def test_unexpected_keys_of_a_query_are_named_in_any_order(query: str, named: str) -> None:
    assert unexpected("POST", f"/rest/vcenter/vm?{query}", b"{}") == (named, "operation-input")


def test_unexpected_fields_are_named_with_their_structure() -> None:
    assert unexpected("GET", "/rest/vcenter/vm?filter.colour=1") == ("[colour]", "com.vmware.vcenter.VM.filter_spec")
    path, spec = "/rest/vcenter/vm", "com.vmware.vcenter.VM.create_spec"
    assert unexpected("POST", path, b'{"spec": {}, "guest": 1, "action": 2}') == ("[action, guest]", "operation-input")
    assert unexpected("POST", path, b'{"spec": {"guest_OS": "OTHER", "y": 1, "x": 2}}') == ("[x, y]", spec)
    disk = b'{"spec": {"guest_OS": "OTHER", "disks": [{}, {"size": 1}]}}'
    assert unexpected("POST", path, disk) == ("[size]", "com.vmware.vcenter.vm.hardware.disk.create_spec")


def test_short_paths_have_no_such_prefix() -> None:
    assert_unknown(resolved("GET", "/rest/vcenter/id:vm"))
    outcome = resolved("GET", "/rest/vcenter/vm/id:vm-1")
    assert isinstance(outcome, Resolved)
    assert outcome.parameters == {"vm": "id:vm-1"}


def test_a_task_is_wrapped_and_answered_with_200() -> None:
    outcome = resolved("POST", "/rest/vcenter/vm?action=clone&vmw-task=true")
    assert isinstance(outcome, Resolved)
    assert outcome.operation.id == "com.vmware.vcenter.VM.clone$task"
    reply = EVERYTHING.encode(outcome, "task-17")
    assert (reply.status, reply.body, reply.media_type) == (200, b'{"value":"task-17"}', "application/json")


def test_a_release_has_the_urls_of_its_time() -> None:
    target = "/rest/appliance/vmon/service"
    for release, there in (("7.0", True), ("8.0", True), ("9.1", False)):
        dialect = RestDialect(Catalogue(release).rest_routes())
        assert isinstance(resolved("GET", "/rest/vcenter/vm", dialect), Resolved), release
        outcome = resolved("GET", target, dialect)
        if there:
            assert isinstance(outcome, Resolved), release
        else:
            assert_unknown(outcome)
