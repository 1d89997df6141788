"""``If-Match`` and ``If-None-Match``: what is changed is what the client has seen, or it is not changed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resphere.contract.model import AnyOperation
from resphere.dialects.base import Dialect, Reply, Request
from resphere.faults.rules import Target
from resphere.inventory.model import Folder, Host, Snapshot, VirtualMachine
from resphere.replica.edit import Edit
from resphere.server.entity_tags import CLASSES, named_by_path, tags_in
from resphere.server.exchange import Exchange
from resphere.server.faults import Faults
from resphere.tasks.record import Task
from tests.support.examples import examples
from tests.support.jsonrpc import invocation, session_context
from tests.support.served import GivenBody, Served
from tests.support.world import IMPLEMENTATIONS

NEW_TAG = {"category_id": "", "description": "", "name": "small"}


class Asking:
    """Asks with preconditions."""

    def __init__(self, served: Served) -> None:
        self.served = served
        self.world = served.world

    def exchange(
        self,
        method: str,
        target: str,
        body: Any = None,
        dialect: Dialect | None = None,
        **headers: str,
    ) -> Exchange:
        path, _, query = target.partition("?")
        sent = {
            b"vmware-api-session-id": self.served.token.encode(),
            b"content-type": b"application/json",
            **{name.replace("_", "-").encode(): value.encode() for name, value in headers.items()},
        }
        content = b"" if body is None else json.dumps(body).encode()
        return Exchange(
            Request(method, path, query.encode(), sent, "192.0.2.1"),
            "test",
            dialect or self.served.api,
            GivenBody(content),
        )

    def __call__(self, method: str, target: str, body: Any = None, **more: Any) -> Reply:
        return self.world.run(self.served.pipeline.handle(self.exchange(method, target, body, **more)))

    def tag(self, target: str, **more: Any) -> str:
        return etag(self("GET", target, **more))

    def jsonrpc(self, service: str, operation: str, input: Any, **headers: str) -> Reply:
        body = invocation(service, operation, input, session_context(self.served.token))
        return self("POST", "/api", body, dialect=self.served.jsonrpc, **headers)

    def vm(self, number: int = 0) -> VirtualMachine:
        return list(self.world.inventory.all(VirtualMachine).values())[number]

    def path(self, number: int = 0) -> str:
        return f"/api/vcenter/vm/{self.vm(number).id}"


def etag(reply: Reply) -> str:
    return dict(reply.headers)["ETag"]


def message_id(reply: Reply) -> str:
    found: str = json.loads(reply.body)["messages"][0]["id"]
    return found


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with Served(tmp_path_factory.mktemp("served")) as served:
        yield served


@pytest.fixture
def ask(served: Served) -> Asking:
    return Asking(served)


def memory(mib: int) -> dict[str, int]:
    return {"size_MiB": mib}


class TestTags:
    """Of what an ETag is."""

    def test_it_stays_as_long_as_the_object_does(self, ask: Asking) -> None:
        before = ask.tag(ask.path())
        ask.world.change(ask.vm(1), name="renamed")
        assert ask.tag(ask.path()) == before
        ask.world.change(ask.vm(0), name="renamed too")
        assert ask.tag(ask.path()) != before

    @pytest.mark.parametrize("part", ["", "/power", "/hardware", "/hardware/cpu", "/tools", "/snapshot"])
    def test_each_answer_about_an_object_begins_with_the_objects(self, ask: Asking, part: str) -> None:
        assert ask.tag(ask.path() + part).partition("-")[0] == ask.tag(ask.path()).partition("-")[0]
        assert ask.tag(ask.path(1) + part).partition("-")[0] != ask.tag(ask.path()).partition("-")[0]

    def test_a_snapshot_is_a_part_of_its_machine(self, ask: Asking) -> None:
        before = ask.tag(ask.path(2))
        made = ask("POST", f"{ask.path(2)}/snapshot", {"name": "one"})
        assert made.status < 300
        with_snapshot = ask.tag(ask.path(2))
        assert with_snapshot != before
        snapshot = next(iter(ask.world.inventory.all(Snapshot).values()))
        ask.world.change(snapshot, name="two")
        assert ask.tag(ask.path(2)) != with_snapshot

    def test_what_is_not_changed_is_not_sent_again(self, ask: Asking) -> None:
        for target in (ask.path(), "/api/session", "/api/vcenter/vm", "/api/resphere/users"):
            tag = ask.tag(target)
            again = ask("GET", target, if_none_match=tag)
            assert (again.status, again.body, etag(again)) == (304, b"", tag), target
            for known in (f'"x", W/{tag}', f'W/{tag} , "y"', "*"):
                assert ask("GET", target, if_none_match=known).status == 304, (target, known)
            for unknown in ('"x"', "x", "", tag.replace('"', "")):
                assert ask("GET", target, if_none_match=unknown).status == 200, (target, unknown)

    def test_what_an_answer_is_made_of_beside_its_object_counts_too(self, ask: Asking) -> None:
        vm = ask.vm()
        host = ask.world.inventory.get(Host, vm.host)
        assert host is not None
        target = f"/api/vcenter/host/{host.id}"
        before = ask.tag("/api/vcenter/host")
        ask.world.change(vm, name="renamed again")
        assert ask.tag("/api/vcenter/host") != before, "lists have the inventory's"
        assert ask("GET", target).status in (200, 404)

    def test_head_has_the_tag_of_get(self, ask: Asking) -> None:
        assert etag(ask("HEAD", ask.path())) == ask.tag(ask.path())

    def test_rest_and_jsonrpc_have_the_same_part_of_the_object(self, ask: Asking) -> None:
        rest = ask.tag(f"/rest/vcenter/vm/{ask.vm().id}", dialect=ask.served.rest)
        called = etag(ask.jsonrpc("com.vmware.vcenter.VM", "get", {"vm": ask.vm().id}))
        own = ask.tag(ask.path()).partition("-")[0]
        assert rest.partition("-")[0] == called.partition("-")[0] == own

    @pytest.mark.parametrize(
        "query",
        ["full=true&$top=2", "$filter=tags/any() or cpu_count gt 0", "$filter=name gt 'a'", "$orderby=name&$top=1"],
    )
    def test_lists_by_options_have_one_too(self, ask: Asking, query: str) -> None:
        target = "/api/vcenter/vm?" + query.replace(" ", "%20").replace("'", "%27")
        known = ask.tag(target)
        assert ask("GET", target, if_none_match=known).status == 304
        ask.world.change(ask.vm(), name=f"named for {query}")
        assert ask("GET", target, if_none_match=known).status == 200

    def test_every_identifier_of_a_path_is_known_or_a_part(self) -> None:
        """Whoever implements an operation on a new kind of object gives it a line in ``CLASSES``."""
        unknown = {
            operation.id
            for operation in (each.operation for each in IMPLEMENTATIONS.values())
            if has_path_parameters(operation) and not named_by_path(operation) and changes(operation)
        }
        assert unknown == WITHOUT_AN_OBJECT


SETTINGS = {
    *(f"com.vmware.appliance.local_accounts.{name}" for name in ("delete", "set", "update")),
    "com.vmware.appliance.networking.interfaces.ipv4.set",
    "com.vmware.appliance.networking.interfaces.ipv6.set",
    *(f"com.vmware.appliance.networking.proxy.{name}" for name in ("delete", "set", "test")),
    *(f"com.vmware.appliance.services.{name}" for name in ("restart", "start", "stop")),
    *(f"com.vmware.appliance.tls.manual_parameters.services.{name}$task" for name in ("delete", "set")),
    "com.vmware.appliance.vcenter.settings.v1.config.scan$task",
}
"""What they name is a part of a setting of the appliance, which is one document for all of them."""
WITHOUT_AN_OBJECT = SETTINGS | {
    "com.vmware.appliance.recovery.backup.job.cancel",
    "com.vmware.appliance.recovery.backup.system_name.archive.get",
    "com.vmware.appliance.recovery.backup.system_name.archive.list",
    "com.vmware.appliance.support_bundle.delete",
    *(
        f"com.vmware.appliance.update.pending.{name}"
        for name in ("install", "precheck", "stage", "stage_and_install", "validate")
    ),
    *(
        f"com.vmware.vapi.metadata.{name}.source.delete"
        for name in ("authentication", "cli", "metamodel", "privilege", "routing")
    ),
    "com.vmware.vapi.vcenter.activation.cancel",
    "com.vmware.vcenter.authorization.vt_containers.mappings.delete",
    "com.vmware.vcenter.certificate_management.vcenter.trusted_root_chains.delete",
    "resphere.content.transfers.upload",
    "resphere.content.transfers.upload_by_post",
    "resphere.reports.delete",
    "resphere.sessions.delete",
    "resphere.states.delete",
    "resphere.states.restore",
}
"""Sessions, reports, states and bundles are ended and no more; jobs, updates and activations go on by themselves;
chains, mappings, archives and what the API tells of itself are in no documents."""


def has_path_parameters(operation: AnyOperation) -> bool:
    route = operation.api or operation.rest
    return route is not None and "{" in route.path


def changes(operation: AnyOperation) -> bool:
    route = operation.api or operation.rest
    return route is not None and route.method != "GET"


class TestMatching:
    """What ``If-Match`` lets through."""

    @pytest.mark.parametrize("of", ["", "/power", "/hardware/memory"])
    def test_the_tag_of_the_present_state_does(self, ask: Asking, of: str) -> None:
        for known in ("{}", '"x", {}', 'W/"y",{} ,"z"', "*"):
            sent = known.format(ask.tag(ask.path() + of))
            delay = ask.vm().boot.delay + 1
            reply = ask("PATCH", f"{ask.path()}/hardware/boot", {"delay": delay}, if_match=sent)
            assert reply.status == 204, known

    def test_that_of_an_earlier_one_does_not_and_tells_the_present(self, ask: Asking) -> None:
        before = ask.tag(ask.path())
        ask.world.change(ask.vm(), name="changed by others")
        refused = ask("PATCH", f"{ask.path()}/hardware/boot", {"delay": 77}, if_match=before)
        assert (refused.status, json.loads(refused.body)["error_type"]) == (412, "CONCURRENT_CHANGE")
        assert message_id(refused) == "resphere.precondition.changed"
        assert ask.vm().boot.delay != 77
        assert etag(refused).strip('"') == ask.tag(ask.path()).strip('"').partition("-")[0]
        assert ask("PATCH", f"{ask.path()}/hardware/boot", {"delay": 77}, if_match=etag(refused)).status == 204

    @pytest.mark.parametrize("kind", ["another", "weak", "list", "none"])
    def test_others_do_not(self, ask: Asking, kind: str) -> None:
        own = ask.tag(ask.path())
        known = {
            "another": ask.tag(ask.path(1)),
            "weak": f"W/{own}",
            "list": ask.tag("/api/vcenter/vm"),
            "none": '""',
        }[kind]
        assert ask("PATCH", f"{ask.path()}/hardware/boot", {"delay": 78}, if_match=known).status == 412
        assert ask.vm().boot.delay != 78

    @pytest.mark.parametrize("value", ["", "x", '"x', '"x" "y"', "*, *", "W/", '"a"b'])
    def test_what_is_malformed_is_refused(self, ask: Asking, value: str) -> None:
        refused = ask("PATCH", f"{ask.path()}/hardware/boot", {"delay": 79}, if_match=value)
        assert (refused.status, message_id(refused)) == (400, "resphere.precondition.malformed")

    def test_what_is_not_there_is_told_first(self, ask: Asking) -> None:
        assert ask("DELETE", "/api/vcenter/vm/vm-404", if_match='"x"').status == 404
        assert ask("DELETE", "/api/vcenter/vm/vm-404", if_match="*").status == 404

    def test_about_no_one_object_nothing_can_be_said(self, ask: Asking) -> None:
        parent = next(f.id for f in ask.world.inventory.all(Folder).values() if f.type == "DATACENTER")
        refused = ask(
            "POST", "/api/vcenter/folder", {"name": "n", "parent": parent}, if_match=ask.tag("/api/vcenter/folder")
        )
        assert (refused.status, message_id(refused)) == (412, "resphere.precondition.no_object")
        assert ask("POST", "/api/vcenter/folder", {"name": "n", "parent": parent}, if_match="*").status < 300

    def test_a_change_that_wants_nothing_to_be_there(self, ask: Asking) -> None:
        refused = ask("PATCH", f"{ask.path()}/hardware/boot", {"delay": 80}, if_none_match="*")
        assert (refused.status, message_id(refused)) == (412, "resphere.precondition.exists")
        assert (
            ask("PATCH", f"{ask.path()}/hardware/boot", {"delay": 80}, if_none_match=ask.tag(ask.path())).status == 412
        )
        assert ask("PATCH", f"{ask.path()}/hardware/boot", {"delay": 80}, if_none_match='"x"').status == 204

    def test_in_jsonrpc_and_on_rest(self, ask: Asking) -> None:
        vm = ask.vm().id
        stale, spec = (
            ask.tag(ask.path()),
            {"STRUCTURE": {"com.vmware.vcenter.vm.hardware.boot.update_spec": {"delay": {"OPTIONAL": 5}}}},
        )
        ask.world.change(ask.vm(), name="changed for all dialects")
        refused = ask.jsonrpc("com.vmware.vcenter.vm.hardware.boot", "update", {"vm": vm, "spec": spec}, if_match=stale)
        assert refused.status == 200
        assert "com.vmware.vapi.std.errors.concurrent_change" in refused.body.decode()
        done = ask.jsonrpc(
            "com.vmware.vcenter.vm.hardware.boot", "update", {"vm": vm, "spec": spec}, if_match=etag(refused)
        )
        assert b"error" not in done.body
        rest = f"/rest/vcenter/vm/{vm}/hardware/boot"
        refused = ask("PATCH", rest, {"spec": {"delay": 6}}, dialect=ask.served.rest, if_match=stale)
        assert refused.status == 412
        assert ask("PATCH", rest, {"spec": {"delay": 6}}, dialect=ask.served.rest, if_match=etag(refused)).status == 200

    def test_users_tags_and_roles(self, ask: Asking) -> None:
        made = ask(
            "POST", "/api/resphere/users", {"name": "ann@vsphere.local", "role": "ReadOnly", "password": "VMware1!xy"}
        )
        assert made.status < 300, made.body
        assert ask("POST", "/api/resphere/groups", {"name": "testers"}).status < 300
        category = {"name": "c", "description": "", "cardinality": "SINGLE", "associable_types": []}
        id = json.loads(ask("POST", "/api/cis/tagging/category", category).body)
        tag = json.loads(ask("POST", "/api/cis/tagging/tag", NEW_TAG | {"category_id": id}).body)
        for target, change in (
            ("/api/resphere/users/Ann@vsphere.local", {"description": "new"}),
            ("/api/resphere/users/ann@vsphere.local", {"role": "Admin"}),
            ("/api/resphere/groups/Testers@vsphere.local", {"description": "new"}),
            (f"/api/cis/tagging/category/{id}", {"description": "new"}),
            (f"/api/cis/tagging/tag/{tag}", {"description": "new"}),
        ):
            known = ask.tag(target)
            first = ask("PATCH", target, change, if_match=known)
            assert first.status == 204, (target, first.body)
            assert ask("PATCH", target, change, if_match=known).status == 412, target


class Meanwhile(Faults):
    """Has something done when a call has been looked at and does nothing yet."""

    def __init__(self, what: Callable[[], Awaitable[None]]) -> None:
        self.what = what

    @property
    def active(self) -> bool:
        return True

    async def disturb(self, exchange: Exchange, target: Target) -> None:
        await self.what()


class TestAtOnce:
    """A change between the look and the commit loses."""

    def between(self, ask: Asking, target: str, body: Any, known: str, method: str = "PATCH") -> Reply:
        """The reply to a change, between whose first look and transaction somebody else changes the machine."""
        inventory, vm = ask.world.inventory, ask.vm()

        async def meanwhile() -> None:
            await inventory.change(lambda edit: edit.put(renamed(edit, vm.id)))

        pipeline = msgspec.structs.replace(ask.served.pipeline, faults=Meanwhile(meanwhile))
        return ask.world.run(pipeline.handle(ask.exchange(method, target, body, if_match=known)))

    def test_of_a_change(self, ask: Asking) -> None:
        known = ask.tag(ask.path())
        refused = self.between(ask, f"{ask.path()}/hardware/boot", {"delay": 90}, known)
        assert refused.status == 412
        assert ask.vm().boot.delay != 90

    def test_of_a_launched_task(self, ask: Asking) -> None:
        known, tasks = ask.tag(ask.path()), ask.world.inventory.count(Task)
        target = f"{ask.path()}?action=relocate&vmw-task=true"
        refused = self.between(ask, target, {"placement": {"host": ask.vm().host}}, known, "POST")
        assert refused.status == 412
        assert ask.world.inventory.count(Task) == tasks

    @given(st.integers(2, 8), st.lists(st.integers(0, 7), max_size=3))
    @settings(max_examples=examples(20), deadline=None)
    def test_of_any_number_one_wins(self, served: Served, writers: int, others: list[int]) -> None:
        ask = Asking(served)
        known = ask.tag(ask.path())
        target = f"{ask.path()}/hardware/boot"

        async def all_at_once() -> list[Reply]:
            exchanges = [
                ask.exchange("PATCH", target, {"delay": 1000 + number}, if_match=known) for number in range(writers)
            ]
            calls = [served.pipeline.handle(each) for each in exchanges]
            for place in others:  # changes of another machine are in nobody's way
                calls.insert(
                    place,
                    served.pipeline.handle(ask.exchange("PATCH", f"{ask.path(1)}/hardware/boot", {"delay": place})),
                )
            return await asyncio.gather(*calls)

        ask.world.change(ask.vm(), boot=msgspec.structs.replace(ask.vm().boot, delay=1))
        known = ask.tag(ask.path())
        replies = ask.world.run(all_at_once())
        statuses = sorted(reply.status for reply in replies)
        assert statuses == [204] * (1 + len(others)) + [412] * (writers - 1)
        assert ask.vm().boot.delay >= 1000


def renamed(edit: Edit, id: str) -> VirtualMachine:
    vm = edit.get(VirtualMachine, id)
    assert vm is not None
    return msgspec.structs.replace(vm, name=vm.name + "x")


def test_tags_are_read_as_http_has_them() -> None:
    assert tags_in(b' "a" ,W/"b", "" ', "If-Match") == [(False, '"a"'), (True, '"b"'), (False, '""')]
    assert tags_in(b"*", "If-Match") is None
    assert len({cls.kind for cls in CLASSES.values()}) > 20
