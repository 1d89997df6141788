"""Calls under an ``Idempotency-Key``: made once, and answered the same, whoever asks again and whatever happens."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from resphere.access.principal import ADMINISTRATORS, Principal
from resphere.contract.errors import InvalidArgument
from resphere.dialects.base import Dialect, Reply, Request
from resphere.idempotency.record import ENCODER, Answer, KeptReply, identity, whose
from resphere.idempotency.replies import Bounds, Claim, KeptReplies
from resphere.inventory.model import Folder, VirtualMachine
from resphere.inventory.tagging import Tag
from resphere.server.exchange import Exchange
from resphere.server.repeats import Repeats, key_in
from resphere.store.base import Note
from resphere.tasks.record import Task
from tests.support.calls import ApiCall
from tests.support.jsonrpc import invocation, session_context
from tests.support.served import GivenBody, Served
from tests.support.server import ADMINISTRATOR

CATEGORY = {"cardinality": "MULTIPLE", "associable_types": [], "description": "", "name": "size"}


class Keyed:
    """Asks with keys."""

    def __init__(self, served: Served, name: str) -> None:
        self.served = served
        self.world = served.world
        self.name = name
        self.pipeline = served.pipeline
        self._before = frozenset(note.id for note in self.world.inventory.notes)

    def exchange(self, call: ApiCall, key: str, dialect: Dialect, token: str | None = None) -> Exchange:
        path, _, query = call.target.partition("?")
        headers = {
            b"vmware-api-session-id": (token or self.served.token).encode(),
            b"content-type": b"application/json",
            b"idempotency-key": f'"{self.name}/{key}"'.encode(),
        }
        request = Request(call.method, path, query.encode(), headers, "192.0.2.1")
        return Exchange(request, "test", dialect, GivenBody(call.body or b""))

    def ask(
        self,
        method: str,
        target: str,
        body: Any = None,
        key: str = "one",
        dialect: Dialect | None = None,
        token: str | None = None,
    ) -> Reply:
        call = ApiCall(method, target, None if body is None else json.dumps(body).encode())
        exchange = self.exchange(call, key, dialect or self.served.api, token)
        return self.world.run(self.pipeline.handle(exchange))

    def jsonrpc(self, service: str, operation: str, input: Any, key: str, id: int = 7) -> dict[str, Any]:
        body = invocation(service, operation, input, session_context(self.served.token)) | {"id": id}
        reply = self.ask("POST", "/api", body, key, self.served.jsonrpc)
        found: dict[str, Any] = json.loads(reply.body)
        return found

    def records(self) -> list[KeptReply]:
        return [self.pipeline.repeats.replies.read(note) for note in self.notes()]

    def notes(self) -> list[Note]:
        return [note for note in self.world.inventory.notes if note.id not in self._before]

    def use(self, replies: KeptReplies) -> None:
        """Have calls from now on answered by another worker."""
        self.pipeline = msgspec.structs.replace(self.pipeline, repeats=Repeats(replies, self.pipeline.repeats.tasks))


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with Served(tmp_path_factory.mktemp("served")) as served:
        yield served


@pytest.fixture
def keyed(served: Served, request: pytest.FixtureRequest) -> Keyed:
    return Keyed(served, request.node.name)


def parent_of(keyed: Keyed) -> str:
    return next(f.id for f in keyed.world.inventory.all(Folder).values() if f.type == "DATACENTER")


def new_folder(keyed: Keyed, name: str = "new", key: str = "one", **more: Any) -> Reply:
    name = f"{name} of {keyed.name}"
    return keyed.ask("POST", "/api/vcenter/folder", {"name": name, "parent": parent_of(keyed)}, key, **more)


def folders(keyed: Keyed) -> int:
    return keyed.world.inventory.count(Folder)


def test_a_create_is_made_once(keyed: Keyed) -> None:
    before = folders(keyed)
    first = new_folder(keyed)
    assert first.status == 201 or first.status == 200
    again = new_folder(keyed)
    assert (again.status, again.body, again.headers) == (first.status, first.body, first.headers)
    assert folders(keyed) == before + 1
    [record] = keyed.records()
    assert record.made == (f"folder/{json.loads(first.body)}",)
    assert new_folder(keyed, "other", '"two"').body != first.body


def test_an_action_is_made_once_whatever_became_of_its_object(keyed: Keyed) -> None:
    vm = next(vm.id for vm in keyed.world.inventory.all(VirtualMachine).values() if vm.power_state == "POWERED_OFF")
    start, stop = (f"/api/vcenter/vm/{vm}/power?action={action}" for action in ("start", "stop"))
    assert keyed.ask("POST", start).status == 204
    assert keyed.ask("POST", stop, key="b").status == 204
    assert keyed.ask("POST", start).status == 204
    found = keyed.world.inventory.get(VirtualMachine, vm)
    assert found is not None
    assert found.power_state == "POWERED_OFF"


def test_a_launched_task_is_launched_once(keyed: Keyed) -> None:
    vm = next(iter(keyed.world.inventory.all(VirtualMachine)))
    body = {"name": keyed.name, "source": vm}
    first = keyed.ask("POST", "/api/vcenter/vm?action=clone&vmw-task=true", body)
    tasks = keyed.world.inventory.count(Task)
    again = keyed.ask("POST", "/api/vcenter/vm?action=clone&vmw-task=true", body)
    assert (first.status, first.body) == (again.status, again.body)
    assert first.status < 300
    assert keyed.world.inventory.count(Task) == tasks


def test_a_refused_call_leaves_nothing_and_may_be_made_anew(keyed: Keyed) -> None:
    assert keyed.ask("POST", "/api/vcenter/folder", {"name": "new", "parent": "group-404"}).status == 404
    assert keyed.records() == []
    assert new_folder(keyed).status < 300


@pytest.mark.parametrize("change", ["name", "path", "dialect"])
def test_another_call_under_the_key_is_refused(keyed: Keyed, change: str) -> None:
    assert new_folder(keyed).status < 300
    if change == "name":
        reply = new_folder(keyed, "another")
    elif change == "path":
        reply = keyed.ask("DELETE", f"/api/vcenter/vm/{next(iter(keyed.world.inventory.all(VirtualMachine)))}")
    else:
        parent = parent_of(keyed)
        input = {"spec": {"STRUCTURE": {"resphere.vcenter.folder.create_spec": {"name": "new", "parent": parent}}}}
        told = keyed.jsonrpc("resphere.vcenter.folder", "create", input, "one")
        assert "invalid_argument" in json.dumps(told)
        return
    assert (reply.status, json.loads(reply.body)["error_type"]) == (422, "INVALID_ARGUMENT")


def test_jsonrpc_answers_each_request_by_its_own_id(keyed: Keyed) -> None:
    spec = {"STRUCTURE": {"com.vmware.cis.tagging.category.create_spec": CATEGORY | {"name": keyed.name}}}
    first = keyed.jsonrpc("com.vmware.cis.tagging.category", "create", {"create_spec": spec}, "k", 1)
    again = keyed.jsonrpc("com.vmware.cis.tagging.category", "create", {"create_spec": spec}, "k", 2)
    assert (first["id"], again["id"]) == (1, 2)
    assert first["result"] == again["result"]
    assert "output" in first["result"]


def test_rest_takes_keys_too(keyed: Keyed) -> None:
    spec: dict[str, Any] = {"create_spec": dict(CATEGORY)}
    spec["create_spec"]["name"] = keyed.name
    first, again = (
        keyed.ask("POST", "/rest/com/vmware/cis/tagging/category", spec, dialect=keyed.served.rest) for _ in range(2)
    )
    assert (first.status, first.body) == (again.status, again.body)
    assert first.status == 200


def test_of_two_at_once_one_acts(keyed: Keyed) -> None:
    before = folders(keyed)
    body = json.dumps({"name": keyed.name, "parent": parent_of(keyed)}).encode()

    async def both() -> list[Reply]:
        exchanges = [
            keyed.exchange(ApiCall("POST", "/api/vcenter/folder", body), "k", keyed.served.api) for _ in range(5)
        ]
        return await asyncio.gather(*map(keyed.pipeline.handle, exchanges))

    replies = keyed.world.run(both())
    assert folders(keyed) == before + 1
    assert sorted(reply.status for reply in replies)[1:] == [409] * 4
    late = next(reply for reply in replies if reply.status == 409)
    assert ("Retry-After", "1") in late.headers
    assert json.loads(late.body)["messages"][0]["id"] == "resphere.idempotency.under_way"


def test_of_two_workers_one_acts(keyed: Keyed) -> None:
    before = folders(keyed)
    pipeline = keyed.pipeline
    other = msgspec.structs.replace(
        pipeline,
        repeats=Repeats(
            KeptReplies(keyed.world.inventory, Bounds(), "other", lambda _: True, lambda: keyed.served.now),
            pipeline.repeats.tasks,
        ),
    )
    body = json.dumps({"name": keyed.name, "parent": parent_of(keyed)}).encode()

    async def both() -> list[Reply]:
        exchanges = [
            keyed.exchange(ApiCall("POST", "/api/vcenter/folder", body), "k", keyed.served.api) for _ in range(2)
        ]
        return list(await asyncio.gather(pipeline.handle(exchanges[0]), other.handle(exchanges[1])))

    replies = keyed.world.run(both())
    assert folders(keyed) == before + 1
    assert sorted(reply.status // 100 for reply in replies) == [2, 4]


def test_another_user_has_keys_of_its_own(keyed: Keyed) -> None:
    served = keyed.served
    keyed.world.run(served.accounts.put("other@vsphere.local", "VMware1!x", "Admin"))
    principal = Principal("other@vsphere.local", frozenset({ADMINISTRATORS}))
    token = keyed.world.run(served.pipeline.sessions.open(principal, "password"))
    first = new_folder(keyed)
    other = new_folder(keyed, "other", token=token)
    assert other.status < 300
    assert other.body != first.body


def test_what_is_kept_is_forgotten_in_time(keyed: Keyed) -> None:
    first = new_folder(keyed)
    assert first.status < 300
    replies = keyed.pipeline.repeats.replies
    assert keyed.world.run(replies.sweep()) == 0
    environment = keyed.world.environment
    later = environment.now() + timedelta(days=1)
    other = KeptReplies(keyed.world.inventory, Bounds(), "test", lambda _: True, lambda: later)
    assert other.find(ADMINISTRATOR, f"{keyed.name}/one") is None
    assert keyed.world.run(other.sweep()) > 0
    assert keyed.records() == []


def test_there_are_so_many_of_a_user_and_no_more(keyed: Keyed) -> None:
    most = Bounds(per_user=keyed.world.inventory.notes.count(whose(ADMINISTRATOR)) + 1)
    keyed.use(KeptReplies(keyed.world.inventory, most, "test", lambda _: True, lambda: keyed.served.now))
    assert new_folder(keyed).status < 300
    refused = new_folder(keyed, "other", "two")
    assert refused.status == 429
    assert "Retry-After" in dict(refused.headers)
    assert new_folder(keyed).status < 300, "what is kept is answered all the same"


def lose(keyed: Keyed, **changes: Any) -> None:
    """Have the answer be lost, as where the worker was killed before it was kept."""
    [note], [record] = keyed.notes(), keyed.records()
    content = ENCODER.encode(msgspec.structs.replace(record, answer=None, owner="dead", **changes))

    async def change() -> None:
        await keyed.world.inventory.change(lambda edit: edit.note(note.id, note.at, content))

    keyed.world.run(change())
    inventory = keyed.world.inventory
    keyed.use(KeptReplies(inventory, Bounds(), "test", lambda name: name != "dead", lambda: keyed.served.now))


def test_a_lost_answer_is_told_by_the_task(keyed: Keyed) -> None:
    first = new_folder(keyed)
    lose(keyed)
    again = new_folder(keyed)
    assert (again.status, again.body) == (first.status, first.body)


def test_a_lost_answer_of_a_launched_task_is_that_task(keyed: Keyed) -> None:
    body = {"name": keyed.name, "source": next(iter(keyed.world.inventory.all(VirtualMachine)))}
    first = keyed.ask("POST", "/api/vcenter/vm?action=clone&vmw-task=true", body)
    lose(keyed)
    again = keyed.ask("POST", "/api/vcenter/vm?action=clone&vmw-task=true", body)
    assert (again.status, again.body) == (first.status, first.body)


def test_a_lost_answer_that_nothing_tells_is_refused_and_not_done_again(keyed: Keyed) -> None:
    assert keyed.ask("POST", "/api/cis/tagging/category", CATEGORY | {"name": keyed.name}).status < 300
    lose(keyed)
    again = keyed.ask("POST", "/api/cis/tagging/category", CATEGORY | {"name": keyed.name})
    assert again.status == 409
    assert json.loads(again.body)["messages"][0]["id"] == "resphere.idempotency.answer_lost"


class Killed(KeptReplies):
    """Those of a worker that dies when a call has changed something, and before that is answered."""

    async def finish(self, claim: Claim, answer: Answer) -> None:
        """It dies."""

    def release(self, claim: Claim) -> None:
        """It is dead."""


def asked_for(keyed: Keyed, what: str) -> tuple[str, str, Any]:
    """Method, target and body of a call that changes something in one transaction."""
    off = next(vm.id for vm in keyed.world.inventory.all(VirtualMachine).values() if vm.power_state == "POWERED_OFF")
    if what in ("delete a category", "rename a category"):
        made = keyed.ask("POST", "/api/cis/tagging/category", CATEGORY | {"name": f"of {keyed.name}"}, "first")
        target = f"/api/cis/tagging/category/{json.loads(made.body)}"
        return ("DELETE", target, None) if what.startswith("delete") else ("PATCH", target, {"description": "new"})
    return {
        "start": ("POST", f"/api/vcenter/vm/{off}/power?action=start", None),
        "folder": ("POST", "/api/vcenter/folder", {"name": keyed.name, "parent": parent_of(keyed)}),
        "task": ("POST", "/api/vcenter/vm?action=clone&vmw-task=true", {"name": keyed.name, "source": off}),
        "clone": ("POST", "/api/vcenter/vm?action=clone", {"name": keyed.name, "source": off}),
        "category": ("POST", "/api/cis/tagging/category", CATEGORY | {"name": keyed.name}),
    }[what]


SETTLED = ("start", "folder", "task", "clone", "category", "delete a category", "rename a category")


@pytest.mark.parametrize("what", SETTLED)
def test_the_answer_is_written_with_the_change(keyed: Keyed, what: str) -> None:
    method, target, body = asked_for(keyed, what)
    before = keyed.world.inventory.sequence
    assert keyed.ask(method, target, body).status < 300
    assert keyed.world.inventory.sequence == before + 1
    assert all(record.answer is not None for record in keyed.records())


def test_the_answer_is_written_with_the_change_in_other_dialects_too(keyed: Keyed) -> None:
    spec = {"STRUCTURE": {"com.vmware.cis.tagging.category.create_spec": CATEGORY | {"name": keyed.name}}}
    before = keyed.world.inventory.sequence
    answer = keyed.jsonrpc("com.vmware.cis.tagging.category", "create", {"create_spec": spec}, "one")
    assert "output" in answer["result"]
    assert keyed.world.inventory.sequence == before + 1


@pytest.mark.parametrize("what", SETTLED)
def test_what_was_changed_by_a_worker_that_died_then_is_answered(keyed: Keyed, what: str) -> None:
    method, target, body = asked_for(keyed, what)
    inventory, now = keyed.world.inventory, lambda: keyed.served.now
    keyed.use(Killed(inventory, Bounds(), "dead", lambda _: True, now))
    first = keyed.ask(method, target, body)
    assert first.status < 300
    keyed.use(KeptReplies(inventory, Bounds(), "test", lambda name: name != "dead", now))
    before = inventory.sequence
    again = keyed.ask(method, target, body)
    assert (again.status, again.body, again.headers) == (first.status, first.body, first.headers)
    assert inventory.sequence == before


def test_an_answer_that_was_foreseen_wrongly_is_kept_as_it_was(
    keyed: Keyed, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("resphere.server.repeats.foreseen", lambda *_: Answer(299))
    first = new_folder(keyed)
    again = new_folder(keyed)
    assert (again.status, again.body) == (first.status, first.body)
    assert first.status != 299
    assert "otherwise than its change foresaw" in caplog.text


def test_one_that_goes_on_elsewhere_is_waited_for(keyed: Keyed) -> None:
    assert new_folder(keyed).status < 300
    [note] = keyed.notes()
    lose(keyed)
    keyed.use(KeptReplies(keyed.world.inventory, Bounds(), "test", lambda _: True, lambda: keyed.served.now))
    again = new_folder(keyed)
    assert (again.status, json.loads(again.body)["messages"][0]["id"]) == (409, "resphere.idempotency.under_way")
    assert note.id == identity(ADMINISTRATOR, f"{keyed.name}/one")


def bulk_of(keyed: Keyed, header: str, field: str | None, **more: Any) -> Reply:
    """A bulk operation with one or two keys."""
    spec: dict[str, Any] = {"items": [{"operation": "com.vmware.vcenter.VM.list"}], **more}
    if field is not None:
        spec["idempotency_key"] = field
    return keyed.ask("POST", "/api/resphere/bulk", spec, header)


def test_a_key_in_the_body_is_that_of_the_header(keyed: Keyed) -> None:
    before = keyed.world.inventory.sequence
    first = bulk_of(keyed, "one", None)
    assert first.status == 201, first.body
    assert keyed.world.inventory.sequence == before + 1
    again = bulk_of(keyed, "one", f"{keyed.name}/one")
    assert (again.status, again.body) == (first.status, first.body)
    other = bulk_of(keyed, "one", f"{keyed.name}/one", name="other")
    assert (other.status, json.loads(other.body)["error_type"]) == (422, "INVALID_ARGUMENT")
    two = bulk_of(keyed, "one", "two")
    assert (two.status, json.loads(two.body)["messages"][0]["id"]) == (400, "resphere.idempotency.two_keys")


def test_reads_and_logins_take_no_notice(keyed: Keyed) -> None:
    assert keyed.ask("GET", "/api/vcenter/vm").status == 200
    tag = {"object_id": {"type": "VirtualMachine", "id": next(iter(keyed.world.inventory.all(VirtualMachine)))}}
    assert keyed.ask("POST", "/api/cis/tagging/tag-association?action=list-attached-tags", tag).status == 200
    assert keyed.world.inventory.count(Tag) == 0
    assert keyed.records() == []


def test_what_is_answered_by_a_secret_takes_none(keyed: Keyed) -> None:
    refused = keyed.ask("POST", "/api/resphere/tokens", {"name": "ci"})
    assert (refused.status, json.loads(refused.body)["messages"][0]["id"]) == (400, "resphere.idempotency.not_here")


@pytest.mark.parametrize(
    ("value", "key"),
    [(b'"a b"', "a b"), (b"a-b", "a-b"), (rb'"a\"\\"', 'a"\\'), (b' "x" ', "x"), (b"8e03978e:1/2", "8e03978e:1/2")],
)
def test_keys_are_strings_with_quotation_marks_or_without(value: bytes, key: str) -> None:
    assert key_in({b"idempotency-key": value}) == key


@pytest.mark.parametrize("value", [b"", b'""', b"a b", b'"a', b'a"', b"a,b", b'"a";p=1', b'"\xe4"', b"x" * 256])
def test_what_is_no_key_is_refused(value: bytes) -> None:
    with pytest.raises(InvalidArgument):
        key_in({b"idempotency-key": value})
