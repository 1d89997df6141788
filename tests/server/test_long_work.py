"""No call holds the loop for long, whatever its input.

That is counted in function calls on the loop's thread, for time cannot be asserted on a busy machine: four of them take
about a microsecond.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from resphere.contract.generated import ids
from resphere.contract.generated.cis_tagging import CategoryModel
from resphere.contract.generated.vcenter_vm_guest import Processes
from resphere.contract.generated.vcenter_vm_guest_filesystem import Directories, Files
from resphere.contract.lookup import api_routes
from resphere.contract.model import ByteStream, Struct
from resphere.dialects.api import ApiDialect
from resphere.dialects.base import Reply, Request, Resolved
from resphere.dialects.http import BYTE_ORDER_MARK, MOST_VALUES
from resphere.inventory.model import VirtualMachine
from resphere.inventory.tagging import Attachment, Category, Tag, attachment_id
from resphere.replica.edit import Edit
from resphere.server.steps.inputs import LARGE_BODY_BYTES
from resphere.server.steps.replies import LARGE_RESULT_ITEMS
from tests.support.calls import ApiCall
from tests.support.guests import ROOT, ready_vm
from tests.support.jsonrpc import invocation, session_context
from tests.support.served import Served
from tests.support.world import World

Id = ids.VirtualMachineId
MOST_CALLS = 400_000
NAMES = 1900
BATCH = "/api/cis/tagging/tag-association?action=list-attached-tags-on-objects"


class Watchdog:
    """Counts the function calls on this thread while it is entered."""

    def __init__(self) -> None:
        self.calls = 0

    def __enter__(self) -> Watchdog:
        sys.setprofile(self._count)
        return self

    def __exit__(self, *_: object) -> None:
        sys.setprofile(None)

    def _count(self, frame: FrameType, event: str, argument: Any) -> None:
        self.calls += event in ("call", "c_call")


def shell(world: World, vm: Id, line: str) -> None:
    world.call(Processes.create, vm, ROOT, Processes.CreateSpec(path="/bin/sh", arguments=f"-c '{line}'"))


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as world:
        yield world


@pytest.fixture
def full(world: World) -> Id:
    """A VM whose guest has nearly as many files as it can."""
    vm = ready_vm(world)
    names = " ".join(str(number) for number in range(NAMES))
    for folder in range(4):
        shell(world, vm, f"mkdir -p /srv/all/{folder}; cd /srv/all/{folder}; touch {names}")
    return vm


def test_a_process_in_a_full_guest(world: World, full: Id) -> None:
    lines = [
        f"mkdir /srv/new; cd /srv/new; touch {' '.join(str(number) for number in range(1900))}",
        "rm -r /srv/all/0",
        "mv /srv/all/1 /srv/moved",
        "ls /srv/all/2 | cat > /tmp/names",
        "chmod u+x /srv/all/3/189*",
    ]
    for line in lines:
        with Watchdog() as watchdog:
            shell(world, full, line)
        assert 0 < watchdog.calls < MOST_CALLS, line


def test_files_of_a_full_guest(world: World, full: Id) -> None:
    with Watchdog() as watchdog:
        found = world.call(Files.list, full, ROOT, "/srv/all/1", None, Files.FilterSpec(match_pattern="^1.*7$"))
    assert found.total == 101
    assert 0 < watchdog.calls < MOST_CALLS
    with Watchdog() as watchdog:
        world.call(Directories.move, full, ROOT, "/srv/all", "/srv/moved")
        world.call(Directories.delete, full, ROOT, "/srv/moved", True)
    assert 0 < watchdog.calls < MOST_CALLS


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with Served(tmp_path) as served:
        yield served


class Watched(ApiDialect):
    """Notes in which threads it decodes and encodes."""

    def __init__(self, routes: Iterable[tuple[str, str, str]]) -> None:
        super().__init__(routes)
        self.threads: list[threading.Thread] = []
        self.writers: list[threading.Thread] = []

    def decode(self, resolved: Resolved, request: Request, body: bytes | ByteStream) -> Struct:
        self.threads.append(threading.current_thread())
        return super().decode(resolved, request, body)

    def encode(self, resolved: Resolved, result: Any) -> Reply:
        self.writers.append(threading.current_thread())
        return super().encode(resolved, result)


def test_large_bodies_are_decoded_beside_the_loop(served: Served) -> None:
    watched = Watched(api_routes())
    small = json.dumps({"object_ids": []}).encode()
    for body in (small, small.ljust(LARGE_BODY_BYTES + 1)):
        assert served.ask(watched, ApiCall("POST", BATCH, body)).status == 200
    assert [thread is threading.main_thread() for thread in watched.threads] == [True, False]


def test_large_results_are_written_beside_the_loop(served: Served) -> None:
    watched = Watched(api_routes())
    [vm, *_] = served.world.inventory.all(VirtualMachine)
    for tags in (10, LARGE_RESULT_ITEMS):
        body = json.dumps({"object_ids": [{"type": "VirtualMachine", "id": vm}]}).encode()
        served.world.run(served.world.inventory.change(attached(vm, tags)))
        reply = served.ask(watched, ApiCall("POST", BATCH, body))
        assert [len(each["tag_ids"]) for each in json.loads(reply.body)] == [tags]
    assert [thread is threading.main_thread() for thread in watched.writers] == [True, False]


def attached(vm: str, count: int) -> Callable[[Edit], None]:
    """The plan that puts so many tags on the VM."""
    category = ids.CisTaggingCategoryId("category")

    def plan(edit: Edit) -> None:
        edit.put(Category(id=category, name="category", cardinality=CategoryModel.Cardinality.MULTIPLE))
        for number in range(count):
            tag = ids.CisTaggingTagId(f"tag-{number}")
            edit.put(Tag(id=tag, name=f"{number}", category=category))
            edit.put(
                Attachment(
                    id=attachment_id(tag, vm),
                    tag=tag,
                    category=category,
                    type="VirtualMachine",
                    object=vm,
                    exclusive=False,
                )
            )

    return plan


def test_documents_of_too_many_values_are_refused(served: Served) -> None:
    body = json.dumps({"object_ids": [1] * (MOST_VALUES + 1)}, separators=(",", ":")).encode()
    for document in (body, b"\n " + body, BYTE_ORDER_MARK + body):
        reply = served.ask_api(ApiCall("POST", BATCH, document))
        assert reply.status == 413
        assert json.loads(reply.body)["messages"][0]["id"] == "resphere.body_too_many_values"
    rpc = invocation(
        "com.vmware.vcenter.VM", "list", {"filter": [1] * (MOST_VALUES + 1)}, session_context(served.token)
    )
    content = json.dumps(rpc, separators=(",", ":")).encode()
    told = json.loads(served.ask(served.jsonrpc, ApiCall("POST", "/api", content)).body)
    assert told["error"]["code"] == -32600
    assert str(MOST_VALUES) in told["error"]["message"]
