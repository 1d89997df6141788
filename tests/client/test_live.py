"""Both clients against a server, over HTTPS."""

from __future__ import annotations

import asyncio
import threading
from typing import Any, assert_type

import pytest

from resphere.client import AsyncClient, BadInput, Client, UntrustedServer
from resphere.contract import errors as e
from resphere.contract.generated import cis, cis_task, ids
from resphere.contract.generated.vcenter import VM, Folder, Host
from resphere.contract.generated.vcenter_vm import Power
from tests.client.conftest import Ask, Asked
from tests.support.server import ADMINISTRATOR, PASSWORD, Server

FOLDERS = Folder.FilterSpec(type=Folder.Type.VIRTUAL_MACHINE)


def some_vm(ask: Ask) -> Any:
    return ask(lambda client: client.vcenter.vm.list())[0].vm


def test_reads_by_declaration_and_by_name(ask: Ask) -> None:
    by_name = ask(lambda client: client.vcenter.vm.list())
    assert by_name == ask(lambda client: client.call(VM.list))
    assert isinstance(by_name[0], VM.Summary)
    info = ask(lambda client: client.vcenter.vm.get(by_name[0].vm))
    assert info.name == by_name[0].name


def test_filters_as_structures_and_as_mappings(ask: Ask) -> None:
    on = VM.FilterSpec(power_states=frozenset({Power.State.POWERED_ON}))
    found = ask(lambda client: client.vcenter.vm.list(on))
    assert {vm.power_state for vm in found} == {Power.State.POWERED_ON}
    assert found == ask(lambda client: client.call(VM.list, {"filter": {"power_states": ["POWERED_ON"]}}))
    assert found == ask(lambda client: client.call(VM.list, filter=on))


def test_changes(ask: Ask, kind: str) -> None:
    (parent, *_) = ask(lambda client: client.vcenter.folder.list(FOLDERS))
    spec = {"name": f"web-{kind}", "parent": parent.folder}
    folder = ask(lambda client: client.resphere.vcenter.folder.create(spec))
    assert [
        each.name for each in ask(lambda c: c.vcenter.folder.list(Folder.FilterSpec(folders=frozenset({folder}))))
    ] == [f"web-{kind}"]
    ask(lambda client: client.resphere.vcenter.folder.delete(folder))


def test_refusals_are_the_errors_of_the_contract(ask: Ask) -> None:
    with pytest.raises(e.NotFound, match="vm-0") as caught:
        ask(lambda client: client.vcenter.vm.get("vm-0"))
    assert caught.value.status == 404
    assert caught.value.messages[0].args
    with pytest.raises(e.Unsupported):
        ask(lambda client: client.contentinternal.task.list())  # by JSON-RPC


def test_input_that_cannot_be_sent(ask: Ask) -> None:
    for wrong in (
        lambda client: client.vcenter.vm.get(3),
        lambda client: client.vcenter.vm.get("vm-1", "vm-2"),
        lambda client: client.vcenter.vm.get("vm-1", vm="vm-1"),
        lambda client: client.vcenter.vm.get(),
        lambda client: client.call(VM.list, {"filters": {}}),
        lambda client: client.call(VM.list, Host.ListInput()),
        lambda client: client.request("GET", "api/vcenter/vm"),
    ):
        with pytest.raises(BadInput):
            ask(wrong)


def test_a_session_that_has_ended_is_begun_anew(ask: Ask) -> None:
    ask(lambda client: client.login())
    first = ask(lambda client: client.session_id)
    ask(lambda client: client.cis.session.delete())
    assert ask(lambda client: client.vcenter.vm.list())
    assert ask(lambda client: client.session_id) not in (None, first)


def test_a_session_of_somebody_else_is_used_and_left(kind: str, ask: Ask, shared_server: Server) -> None:
    session_id = ask(lambda client: client.login())
    guest = Asked(kind, shared_server.url, session_id=session_id, ca_file=shared_server.ca)
    assert guest(lambda client: client.cis.session.get()).user == ADMINISTRATOR
    guest.close()
    assert ask(lambda client: client.session_id) == session_id
    assert ask(lambda client: client.call(cis.Session.get)).user == ADMINISTRATOR


def test_a_client_logs_out(kind: str, shared_server: Server, ask: Ask) -> None:
    other = Asked(kind, shared_server.url, user=ADMINISTRATOR, password=PASSWORD, ca_file=shared_server.ca)
    session_id = other(lambda client: client.login())
    other.close()
    guest = Asked(kind, shared_server.url, session_id=session_id, ca_file=shared_server.ca)
    with pytest.raises(e.Unauthenticated):
        guest(lambda client: client.vcenter.vm.list())
    guest.close()


def test_a_wrong_password(kind: str, shared_server: Server) -> None:
    other = Asked(kind, shared_server.url, user="nobody@vsphere.local", password="x", ca_file=shared_server.ca)
    with pytest.raises(e.Unauthenticated):
        other(lambda client: client.vcenter.vm.list())
    other.close()


def test_waits_for_a_task(ask: Ask, kind: str) -> None:
    spec = {"source": some_vm(ask), "name": f"copy-{kind}"}
    seen: list[cis_task.Status] = []
    task = ask(lambda client: client.vcenter.vm.clone_task(spec))
    info = ask(lambda client: client.wait(task, progress=lambda each: seen.append(each.status)))
    assert seen[-1] is info.status is cis_task.Status.SUCCEEDED
    assert ask(lambda client: client.vcenter.vm.get(info.result)).name == f"copy-{kind}"
    ask(lambda client: client.vcenter.vm.delete(info.result))


def test_pages(ask: Ask) -> None:
    everything = ask(lambda client: client.vcenter.vm.list())
    in_pages = ask(lambda client: client.every(VM.list, page_size=7))
    assert sorted(vm.vm for vm in in_pages) == sorted(vm.vm for vm in everything)
    some = ask(
        lambda client: client.every(
            VM.list, filter="power_state eq 'POWERED_ON'", order_by="name desc", page_size=2, skip=1, limit=5
        )
    )
    on = sorted((vm.name for vm in everything if vm.power_state == "POWERED_ON"), reverse=True)
    assert [vm.name for vm in some] == on[1:6]
    with pytest.raises(e.InvalidArgument, match="nmae"):
        ask(lambda client: client.every(VM.list, filter="nmae eq 'a'"))


def test_pages_of_a_map(ask: Ask) -> None:
    everything = ask(lambda client: client.cis.tasks.list())
    in_pages = ask(lambda client: client.every(cis.Tasks.list, page_size=2))
    assert dict(in_pages).keys() <= everything.keys() | {task for task, _ in in_pages}
    assert all(isinstance(task, str) and isinstance(info, cis_task.Info) for task, info in in_pages)


def test_other_options_of_the_same_client(ask: Ask, kind: str) -> None:
    ids_of_two = ask(lambda client: client.with_options(query={"$top": "2"}).vcenter.vm.list())
    assert len(ids_of_two) == 2
    (parent, *_) = ask(lambda client: client.vcenter.folder.list(FOLDERS))
    spec = {"name": f"once-{kind}", "parent": parent.folder}
    made = {
        ask(lambda client: client.with_options(idempotency_key=kind).resphere.vcenter.folder.create(spec))
        for _ in range(2)
    }
    assert len(made) == 1
    ask(lambda client: client.resphere.vcenter.folder.delete(*made))
    assert ask(lambda client: client.with_options(retries=0).session_id) == ask(lambda client: client.session_id)


def test_any_request(ask: Ask) -> None:
    reply = ask(lambda client: client.request("get", "/api/vcenter/vm?power_states=POWERED_ON"))
    assert (reply.status, reply.headers["content-type"]) == (200, "application/json")
    assert ask(lambda client: client.request("GET", "/api/nothing")).status == 404
    assert ask(lambda client: client.is_resphere()) is True


def test_files_as_they_come(ask: Ask, kind: str) -> None:
    datastore = ask(lambda client: client.vcenter.datastore.list())[0].datastore
    library = ask(
        lambda client: client.content.local_library.create(
            {"name": kind, "type": "LOCAL", "storage_backings": [{"type": "DATASTORE", "datastore_id": datastore}]}
        )
    )
    item = ask(lambda client: client.content.library.item.create({"library_id": library, "name": "a", "type": "other"}))
    session = ask(lambda client: client.content.library.item.update_session.create({"library_item_id": item}))
    files = ask(lambda client: client.content.library.item.updatesession.file)
    added = ask(lambda _: files.add(session, {"name": "a.bin", "source_type": "PUSH"}))
    pieces = [b"a" * 100_000, b"b" * 100_000]
    ask(lambda client: client.upload(added.upload_endpoint.uri, b"".join(pieces)))
    ask(lambda client: client.content.library.item.update_session.complete(session))
    reading = ask(lambda client: client.content.library.item.download_session.create({"library_item_id": item}))
    prepare = ask(lambda client: client.content.library.item.downloadsession.file.prepare)
    address = ask(lambda _: prepare(reading, "a.bin")).download_endpoint.uri
    assert b"".join(ask(lambda client: client.download(address))) == b"".join(pieces)
    token, _, name = address.partition("/cls/data/")[2].partition("/")
    assert b"".join(ask(lambda client: client.resphere.content.transfers.download(token, name))) == b"".join(pieces)
    with pytest.raises(e.NotFound):
        ask(lambda client: client.download(f"{address}x"))
    ask(lambda client: client.content.local_library.delete(library))


def test_a_certificate_of_an_authority_that_nobody_trusts(kind: str, shared_server: Server) -> None:
    asked = Asked(kind, shared_server.url, user=ADMINISTRATOR, password=PASSWORD)
    with pytest.raises(UntrustedServer, match="ca_file names"):
        asked(lambda client: client.vcenter.vm.list())
    asked.close()
    careless = Asked(kind, shared_server.url, user=ADMINISTRATOR, password=PASSWORD, verify=False)
    assert careless(lambda client: client.vcenter.vm.list())
    careless.close()


def test_threads_share_a_client_and_its_session(shared_server: Server) -> None:
    found: list[int] = []
    with (
        shared_server.session() as watcher,
        Client(shared_server.url, user=ADMINISTRATOR, password=PASSWORD, ca_file=shared_server.ca) as client,
    ):
        before = len(watcher.read("/api/resphere/sessions"))
        threads = [threading.Thread(target=lambda: found.append(len(client.vcenter.vm.list()))) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(watcher.read("/api/resphere/sessions")) == before + 1
    assert len(found) == 8


def test_tasks_share_a_client_and_types(shared_server: Server) -> None:
    asyncio.run(ask_at_once(shared_server))


async def ask_at_once(shared_server: Server) -> None:
    async with AsyncClient(
        shared_server.url, user=ADMINISTRATOR, password=PASSWORD, ca_file=shared_server.ca
    ) as client:
        vms = await client.vcenter.vm.list()
        infos = await asyncio.gather(*(client.vcenter.vm.get(vm.vm) for vm in vms[:10]))
        assert_type(vms, tuple[VM.Summary, ...])
        assert_type(infos, list[VM.Info])
        assert_type([vm async for vm in client.every(VM.list, limit=1)], list[VM.Summary])
    assert [info.name for info in infos] == [vm.name for vm in vms[:10]]


def test_types(shared_server: Server) -> None:
    with Client(shared_server.url, user=ADMINISTRATOR, password=PASSWORD, ca_file=shared_server.ca) as client:
        vms = client.vcenter.vm.list()
        assert_type(vms, tuple[VM.Summary, ...])
        assert_type(client.call(VM.get, vm=vms[0].vm), VM.Info)
        assert_type(list(client.every(VM.list, limit=1)), list[VM.Summary])
        assert_type(client.vcenter.vm.list()[0].vm, ids.VirtualMachineId)
        with pytest.raises(AttributeError, match="did you mean power"):
            client.vcenter.vm.powr  # type: ignore[attr-defined] # noqa: B018
        with pytest.raises(AttributeError, match="did you mean vcenter"):
            client.vcentre  # type: ignore[attr-defined] # noqa: B018
