"""Steps from form to form: one transaction or none, with plain documents, claims made anew, and refusals in words."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, ClassVar

import msgspec
import pytest

from resphere.cli.main import main
from resphere.replica.sealing import Sealing
from resphere.replica.table import Table
from resphere.server.forms.record import FORM, FormRecord, form_in
from resphere.server.forms.steps import Documents, Step
from resphere.server.forms.upgrade import bring_to_present_form
from resphere.store.base import Store, StoreError, Transaction, Write
from resphere.store.engines import default_url, open_store
from tests.server.forms.kept_data import place, write
from tests.support.cli import resphere

SEALING = Sealing(bytes(32), secrets.token_bytes)


class Thing(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What documents of the present form are."""

    kind: ClassVar[str] = "thing"

    id: str
    name: str
    secret: Any = None


THINGS = Table(cls=Thing, claims=lambda thing: (f"name/{thing.name}",), sealed=("secret",))


def rename(documents: Documents) -> None:
    """What was called ``title`` is ``name`` from form 2 on."""
    for thing in documents["thing"].values():
        thing["name"] = thing.pop("title")


def shout(documents: Documents) -> None:
    """Names are upper case from form 3 on; there are no old things, and a new one."""
    for thing in documents["thing"].values():
        thing["name"] = thing["name"].upper()
    documents.pop("old", None)
    documents["thing"]["new"] = {"id": "new", "name": "NEW"}


STEPS: Mapping[int, Step] = {2: Step("names", rename), 3: Step("upper case", shout)}


def thing(id: str, **fields: object) -> Write:
    return Write("thing", id, msgspec.json.encode({"id": id, **fields}), claims=(f"title/{id}",))


async def opened(tmp_path: Path, *writes: Write) -> Store:
    """A store with these documents."""
    store = await open_store(default_url(tmp_path))
    if writes:
        await store.commit(Transaction(writes))
    return store


async def bring(store: Store) -> bool:
    return await bring_to_present_form(store, (THINGS,), SEALING, "the store", STEPS)


async def things(store: Store) -> dict[str, str]:
    """Names by id."""
    documents = [each for each in (await store.load()).documents if each.kind == "thing"]
    return {each.id: msgspec.json.decode(each.body)["name"] for each in documents}


def test_every_step_is_taken_in_one_transaction(tmp_path: Path) -> None:
    async def scenario() -> None:
        store = await opened(tmp_path, thing("1", title="a"), thing("2", title="b"), Write("old", "1", b"{}"))
        before = (await store.load()).sequence
        assert await bring(store) is False
        assert await things(store) == {"1": "A", "2": "B", "new": "NEW"}
        assert await form_in(store) == 3
        assert {claim.claim for claim in await store.claims()} == {"name/A", "name/B", "name/NEW"}
        snapshot = await store.load()
        assert {document.kind for document in snapshot.documents} == {"thing", FormRecord.kind}
        assert snapshot.sequence == before + 1
        await store.close()

    asyncio.run(scenario())


def test_it_goes_on_from_where_the_documents_are(tmp_path: Path) -> None:
    async def scenario() -> None:
        record = Write(FormRecord.kind, FormRecord.only, msgspec.json.encode(FormRecord(2)))
        store = await opened(tmp_path, thing("1", name="a"), record)
        await bring(store)
        assert await things(store) == {"1": "A", "new": "NEW"}
        await store.close()

    asyncio.run(scenario())


def test_claims_are_made_anew_where_the_document_stays(tmp_path: Path) -> None:
    async def scenario() -> None:
        record = Write(FormRecord.kind, FormRecord.only, msgspec.json.encode(FormRecord(2)))
        store = await opened(tmp_path, thing("1", name="A", secret=None), record)
        await bring(store)
        assert {claim.claim: claim.id for claim in await store.claims()} == {"name/A": "1", "name/NEW": "new"}
        await store.close()

    asyncio.run(scenario())


def test_a_new_store_is_of_the_present_form(tmp_path: Path) -> None:
    async def scenario() -> None:
        store = await opened(tmp_path)
        await bring(store)
        assert await form_in(store) == 3
        assert await things(store) == {}
        await store.close()

    asyncio.run(scenario())


def test_what_is_sealed_comes_opened_and_is_sealed_again(tmp_path: Path) -> None:
    seen: list[object] = []

    def look(documents: Documents) -> None:
        rename(documents)
        seen.extend(each["secret"] for each in documents["thing"].values())

    async def scenario() -> None:
        sealed = SEALING.seal(b'{"password":"p"}', "thing/1/secret")
        store = await opened(tmp_path, thing("1", title="a", secret=sealed), thing("2", title="b", secret={"plain": 1}))
        # One was left plain by a release that sealed nothing: whoever asks is told, and compacts the store.
        assert await bring_to_present_form(store, (THINGS,), SEALING, "it", {2: Step("", look)}) is True
        assert seen == [{"password": "p"}, {"plain": 1}]
        bodies = [document.body for document in (await store.load()).documents if document.kind == "thing"]
        assert all(b'"secret":"sealed-1:' in body for body in bodies)
        await store.close()

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"title": 7}, r"the document thing/1 cannot be read: Expected `str`, got `int`"),
        ({"title": "a", "more": 1}, r"the document thing/1 cannot be read: Object contains unknown field `more`"),
    ],
)
def test_a_document_that_is_none_is_named_and_nothing_done(
    tmp_path: Path, document: dict[str, object], message: str
) -> None:
    async def scenario() -> None:
        store = await opened(tmp_path, thing("0", title="a"), thing("1", **document))
        before = await store.load()
        with pytest.raises(StoreError, match=f"the store cannot be used by this release: {message}.*inventory export"):
            await bring_to_present_form(store, (THINGS,), SEALING, "the store", {2: STEPS[2]})
        assert await store.load() == before
        await store.close()

    asyncio.run(scenario())


def test_a_step_that_fails_changes_nothing(tmp_path: Path) -> None:
    async def scenario() -> None:
        store = await opened(tmp_path, thing("1"))
        before = await store.load()
        with pytest.raises(StoreError, match=r"the store cannot be used .* no form .* \(names: KeyError: 'title'\)"):
            await bring(store)
        assert await store.load() == before
        await store.close()

    asyncio.run(scenario())


def test_whoever_writes_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    async def scenario() -> None:
        store = await opened(tmp_path, thing("1", title="a"))
        other = await open_store(default_url(tmp_path))

        def meanwhile(documents: Documents) -> None:
            rename(documents)
            with ThreadPoolExecutor(1) as pool:
                pool.submit(asyncio.run, other.commit(Transaction((thing("1", title="b"),)))).result()

        with pytest.raises(StoreError, match="was written by others while it was brought to the present form"):
            await bring_to_present_form(store, (THINGS,), SEALING, "it", {2: Step("", meanwhile)})
        assert await form_in(store) == 1
        await other.close()
        await store.close()

    asyncio.run(scenario())


def test_a_newer_form_is_refused_by_all_commands(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data_dir = place(str(FORM), tmp_path / "data")
    newer = msgspec.json.encode(FormRecord(FORM + 1)).decode()
    write(data_dir, FormRecord.kind, newer)
    for command in (["serve", "--port", "0", "--no-tls"], ["user", "list"], ["inventory", "export"]):
        assert main([*command, "--data-dir", str(data_dir)]) == 1
        said = capsys.readouterr().err
        assert f"was written by a newer release: its documents are of form {FORM + 1}, this release knows" in said


def test_a_server_names_the_document_that_it_cannot_read_and_ends(tmp_path: Path) -> None:
    data_dir = place(str(FORM), tmp_path / "data")
    write(data_dir, "virtual_machine", "{}")
    said = resphere("serve", "--port", "0", "--no-tls", "--data-dir", str(data_dir))
    assert said.returncode == 1
    assert "the document virtual_machine/vm-" in said.stderr
    assert "cannot be read: Object missing required field `id`" in said.stderr
    assert len(said.stderr.splitlines()) == 1
