"""What the store gets encrypted: which documents, by whose key, and what earlier releases have left plain."""

from __future__ import annotations

import asyncio
import base64
import os
import random
import subprocess
import sys
import typing
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resphere.contract.model import Secret
from resphere.inventory.customization import CUSTOMIZATION_TABLES, CustomizationItem, GuestCustomization
from resphere.replica.replica import Replica
from resphere.replica.sealing import KEY, KEY_BYTES, MARK, NEXT_KEY, NONCE_BYTES, NONCES_AT_ONCE, Sealing, open_sealing
from resphere.replica.table import Table
from resphere.rules.guests.customization import pending
from resphere.server.wiring import WIRING
from resphere.store.base import Document, Store, StoreError, Transaction, Write
from resphere.store.engines import default_url, open_store
from tests.support.customizations import windows

PASSWORD = "correct-horse-battery-staple"
ITEM = CustomizationItem(
    id="web",
    description="Web servers",
    spec=windows(PASSWORD),
    fingerprint="f",
    last_modified=datetime(2026, 1, 2, tzinfo=UTC),
)


def sealing(key: int = 1) -> Sealing:
    numbers = iter(range(1, 1000))
    return Sealing(bytes([key]) * KEY_BYTES, lambda count: next(numbers).to_bytes(count, "big"))


@given(st.binary(max_size=200), st.text(max_size=20))
def test_what_is_sealed_opens_in_its_place_only(content: bytes, place: str) -> None:
    text = sealing().seal(content, place)
    assert text.startswith(MARK)
    assert len(content) < 4 or content not in text.encode()
    assert sealing().open(text, place) == content
    for by, where in ((sealing(2), place), (sealing(), place + "x")):
        with pytest.raises(StoreError):
            by.open(text, where)


def nonce_of(text: str) -> bytes:
    return base64.b64decode(text.removeprefix(MARK))[:NONCE_BYTES]


def test_no_nonce_is_used_twice() -> None:
    by = Sealing(bytes(KEY_BYTES), random.Random(1).randbytes)
    assert len({nonce_of(by.seal(b"x", "place")) for _ in range(3 * NONCES_AT_ONCE)}) == 3 * NONCES_AT_ONCE


FORKING = """
import os
from resphere.replica.sealing import Sealing
sealing = Sealing(bytes(32), os.urandom)
sealing.seal(b"x", "place")
child = os.fork()
if child:
    os.waitpid(child, 0)
print(*(sealing.seal(b"x", "place") for _ in range(5)), flush=True)
"""


def test_a_forked_process_uses_none_of_its_parents() -> None:
    told = subprocess.run([sys.executable, "-c", FORKING], check=True, capture_output=True, text=True).stdout.split()
    assert len({nonce_of(text) for text in told}) == 10


@pytest.mark.parametrize("text", ["", "plain", MARK, MARK + "!", MARK + "AAAA", "sealed-2:AAAA"])
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(StoreError, match="the key of secrets"):
        sealing().open(text, "place")


def test_what_a_later_form_sealed_is_not_read_as_this_one() -> None:
    text = sealing().seal(b"content", "place")
    with pytest.raises(StoreError, match="cannot be decrypted"):
        sealing().open(text.replace(MARK, "sealed-2:"), "place")


def test_no_two_are_alike() -> None:
    by = sealing()
    assert by.seal(b"same", "place") != by.seal(b"same", "place")


def test_the_key_is_the_given_one_or_the_store_s_and_that_of_a_rotation_opens_too(tmp_path: Path) -> None:
    async def test(store: Store) -> None:
        kept, given = (await open_sealing(store, os.urandom), await open_sealing(store, os.urandom, bytes(KEY_BYTES)))
        assert kept.key == await store.keys.get(KEY, KEY_BYTES)
        assert given.key == bytes(KEY_BYTES) != kept.key
        assert kept.others == given.others == ()
        coming = await store.keys.get(NEXT_KEY, KEY_BYTES)
        assert (await open_sealing(store, os.urandom)).others == (coming,)

    with_store(tmp_path, test)


def secrets_in(expected: Any, way: str = "", seen: frozenset[Any] = frozenset()) -> Iterator[str]:
    """Where a type holds something that the contract calls secret, as paths of fields."""
    if expected is Secret:
        yield way
    for inner in typing.get_args(expected):
        yield from secrets_in(inner, way, seen)
    if isinstance(expected, type) and issubclass(expected, msgspec.Struct) and expected not in seen:
        for field in msgspec.structs.fields(expected):
            yield from secrets_in(field.type, f"{way}.{field.name}", seen | {expected})


@pytest.mark.parametrize("table", WIRING.tables, ids=lambda table: table.cls.kind)
def test_every_secret_of_a_document_is_sealed(table: Table[Any]) -> None:
    fields = {way.split(".")[1] for way in secrets_in(table.cls)}
    assert fields <= set(table.sealed)


def test_that_finds_secrets() -> None:
    found = [way for table in CUSTOMIZATION_TABLES for way in secrets_in(table.cls)]
    assert len([way for way in found if way.endswith("gui_unattended.password")]) == 2


def with_store(path: Path, test: typing.Callable[[Store], typing.Awaitable[None]]) -> None:
    async def run() -> None:
        store = await open_store(default_url(path))
        try:
            await test(store)
        finally:
            await store.close()

    asyncio.run(run())


async def loaded(store: Store, by: Sealing | None) -> Replica:
    replica = Replica(store, CUSTOMIZATION_TABLES, sealing=by)
    await replica.load()
    return replica


async def documents(store: Store) -> dict[str, Document]:
    return {document.kind: document for document in (await store.load()).documents}


def test_the_store_gets_nothing_of_it(tmp_path: Path) -> None:
    async def test(store: Store) -> None:
        first, second = await loaded(store, sealing()), await loaded(store, sealing())
        await first.change(lambda edit: edit.put(ITEM))
        await first.change(lambda edit: edit.put(pending("vm-1", ITEM.spec)))
        found = await documents(store)
        assert set(found) == {"customization_spec", "guest_customization"}
        for document in found.values():
            assert PASSWORD.encode() not in document.body
            assert b"joiner" not in document.body
        assert b"Web servers" in found["customization_spec"].body
        await second.refresh()
        for replica in (first, second, await loaded(store, sealing())):
            assert replica.get(CustomizationItem, "web") == ITEM
            assert replica.get(GuestCustomization, "vm-1") == pending("vm-1", ITEM.spec)
            assert await replica.seal_anew() == 0

    with_store(tmp_path, test)


def test_without_the_key_nothing_is_read_or_written(tmp_path: Path) -> None:
    async def test(store: Store) -> None:
        with pytest.raises(StoreError, match="no key"):
            await (await loaded(store, None)).change(lambda edit: edit.put(ITEM))
        await (await loaded(store, sealing())).change(lambda edit: edit.put(ITEM))
        for by in (None, sealing(2)):
            with pytest.raises(StoreError, match="cannot be decrypted"):
                await loaded(store, by)

    with_store(tmp_path, test)


def plain(obj: Any) -> Write:
    """What an earlier release wrote."""
    return Write(obj.kind, obj.id, msgspec.json.encode(obj), 0)


def test_plain_ones_are_read_and_sealed_when_written_again(tmp_path: Path) -> None:
    async def test(store: Store) -> None:
        idle = GuestCustomization(id="vm-2", error="failed")
        await store.commit(Transaction((plain(ITEM), plain(pending("vm-1", ITEM.spec)), plain(idle))))
        replica = await loaded(store, sealing())
        assert replica.get(CustomizationItem, "web") == ITEM
        # Even where nothing else is different.
        await replica.change(lambda edit: edit.put(ITEM))
        assert PASSWORD.encode() not in (await documents(store))["customization_spec"].body
        assert await replica.seal_anew() == 1
        assert await replica.seal_anew() == 0
        assert not [document for document in (await store.load()).documents if PASSWORD.encode() in document.body]
        again = await loaded(store, sealing())
        assert again.get(GuestCustomization, "vm-1") == pending("vm-1", ITEM.spec)
        assert again.get(GuestCustomization, "vm-2") == idle

    with_store(tmp_path, test)


def test_plain_ones_that_are_deleted_need_not_be_sealed(tmp_path: Path) -> None:
    async def test(store: Store) -> None:
        other = msgspec.structs.replace(ITEM, id="other")
        await store.commit(Transaction((plain(ITEM), plain(other))))
        replica = await loaded(store, sealing())
        await replica.change(lambda edit: edit.delete(CustomizationItem, "other"))
        assert await replica.seal_anew() == 1
        assert set(replica.all(CustomizationItem)) == {"web"}

    with_store(tmp_path, test)


def test_what_another_key_has_sealed_opens_and_is_sealed_anew(tmp_path: Path) -> None:
    """As after a rotation that was interrupted."""
    both = msgspec.structs.replace(sealing(2), others=(sealing().key,))

    async def test(store: Store) -> None:
        await (await loaded(store, sealing())).change(lambda edit: edit.put(ITEM))
        replica = await loaded(store, both)
        assert replica.get(CustomizationItem, "web") == ITEM
        assert await replica.seal_anew() == 1
        assert await replica.seal_anew() == 0
        again = await loaded(store, sealing(2))
        assert again.get(CustomizationItem, "web") == ITEM
        assert await again.seal_anew() == 0

    with_store(tmp_path, test)


def test_notes_are_sealed_each_for_its_place_and_anew_by_another_key(tmp_path: Path) -> None:
    async def test(store: Store) -> None:
        first = await loaded(store, sealing())
        for number in range(3):
            await first.change(lambda edit, at=number: edit.note(f"ann/{at}", at, b"secret %d" % at))  # type: ignore[misc]
        await first.change(lambda edit: edit.note("ann/0", 9, b"secret other"))
        assert first.notes.count("ann") == 3
        notes = {note.id: note for note in (await store.load()).notes}
        assert not any(b"secret" in note.body for note in notes.values())
        with pytest.raises(StoreError, match="note/ann/1 cannot be decrypted"):
            first.notes.opened(msgspec.structs.replace(notes["ann/2"], id="ann/1"))
        with pytest.raises(StoreError, match="cannot be decrypted"):
            (await loaded(store, sealing(2))).notes.opened(notes["ann/1"])

        both = msgspec.structs.replace(sealing(2), others=(sealing().key,))
        replica = await loaded(store, both)
        assert await replica.seal_anew() == 3
        assert await replica.seal_anew() == 0
        again = await loaded(store, sealing(2))
        contents = [(note.id, note.at, again.notes.opened(note)) for note in again.notes]
        assert sorted(contents) == [
            ("ann/0", 9, b"secret other"),
            ("ann/1", 1, b"secret 1"),
            ("ann/2", 2, b"secret 2"),
        ]
        assert len((await store.load()).notes) == 3, "nothing is left that the old key has sealed"
        assert not again.notes.by_other_keys

    with_store(tmp_path, test)


def test_what_an_interrupted_rotation_has_left_of_notes_goes(tmp_path: Path) -> None:
    """Some are sealed by the new key already, and stay."""
    both = msgspec.structs.replace(sealing(2), others=(sealing().key,))

    async def test(store: Store) -> None:
        await (await loaded(store, sealing())).change(lambda edit: edit.note("ann/0", 0, b"old"))
        half = await loaded(store, both)
        await half.change(lambda edit: edit.note("ann/0", 0, b"new"))
        await half.change(lambda edit: edit.note("ann/1", 1, b"one"))
        assert await (await loaded(store, both)).seal_anew() == 2
        again = await loaded(store, sealing(2))
        assert [again.notes.opened(note) for note in again.notes] == [b"new", b"one"]
        assert len((await store.load()).notes) == 2

    with_store(tmp_path, test)


def test_nothing_is_noted_without_a_key(tmp_path: Path) -> None:
    async def test(store: Store) -> None:
        replica = Replica(store, ())
        await replica.load()
        with pytest.raises(StoreError, match="there is no key"):
            await replica.change(lambda edit: edit.note("ann/0", 0, b"secret"))
        assert (await store.load()).notes == ()

    with_store(tmp_path, test)


def read_all(folder: Path) -> bytes:
    """All files of a folder, one after the other."""
    return b"".join(file.read_bytes() for file in folder.iterdir())


def test_nothing_plain_is_left_in_a_compacted_file(tmp_path: Path) -> None:
    async def test(store: Store) -> None:
        many = [plain(msgspec.structs.replace(ITEM, id=f"web-{number}")) for number in range(50)]
        await store.commit(Transaction(tuple(many)))
        await (await loaded(store, sealing())).seal_anew()
        await store.compact()
        assert len((await loaded(store, sealing())).all(CustomizationItem)) == 50
        held.extend(read_all(tmp_path))

    held = bytearray()
    with_store(tmp_path, test)
    assert PASSWORD.encode() not in held
    assert b"web-49" in held
