"""What is particular to ``/rest``: which URLs it knows, how queries number lists, how tasks and releases answer."""

from __future__ import annotations

import json

import pytest

from resphere.contract.catalogue import Catalogue
from resphere.contract.errors import InvalidArgument
from resphere.dialects.api import ApiDialect
from resphere.dialects.base import Dialect, Outcome, Refused, Request, Resolved
from resphere.dialects.rest import RestDialect
from resphere.dialects.rest_query import shaped, tree

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
    for body in (b'{"category_id": "c-2"}', b'{"category_id": ["c-1"]}', b'{"other": "c-1"}', b"[]", b"17", b'{"'):
        with pytest.raises(InvalidArgument, match="takes no body"):
            EVERYTHING.decode(outcome, request("POST", target), body)


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
