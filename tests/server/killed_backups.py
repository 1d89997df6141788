"""Backups and restores that are killed at each of their steps. What they leave is looked at after each.

``python -m tests.server.killed_backups FOLDER COMMAND`` ends with 0 where all was as it must be.
"""

from __future__ import annotations

import asyncio
import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from resphere.recovery.archives import PARTS
from resphere.recovery.record import LAST, RestoreJob
from resphere.server.archive import MADE_IN
from resphere.server.backup import STAGING, back_up, restore
from resphere.server.prepare import fill as fill_server
from resphere.server.recovery import COMMITTED, NOTE, Note, is_committed, put_in_place
from resphere.server.serve import restored
from resphere.server.settings import Settings
from resphere.store.base import Store, StoreError, StoreMissing, Transaction, Write
from resphere.store.contents import HOLDING
from resphere.store.engines import default_url, open_store
from resphere.store.liveness import any_alive
from tests.support.killed import killed_at_each_step

NOW = datetime(2026, 11, 29, tzinfo=UTC)
COLLECTION = "guest-files"
SECOND_VMS = 3
FEWEST_STEPS = 15
"""Fewer would mean that steps are not seen."""


async def fill(data_dir: Path, word: str) -> None:
    """A data directory with a bit of everything, all of it by that word."""
    (data_dir / "tls").mkdir(parents=True)
    (data_dir / "admin-password").write_text(word)
    (data_dir / "tls" / "server.pem").write_text(word)
    store = await open_store(default_url(data_dir))
    await store.keys.get("secrets", 32)
    liveness = await store.liveness(f"1-{word}")
    contents = await store.contents(COLLECTION, liveness)
    for id in ("1", "2"):
        async with contents.write() as writing:
            await writing.write(word.encode())
            await writing.finish()
        await store.commit(Transaction((Write("file", id, f"{word} {writing.name}".encode()),)))
    await liveness.release()
    await store.close()


async def word_of(data_dir: Path) -> str | None:
    """The one word that all of a directory is by; ``None`` where it cannot be opened, as nobody may.

    :raises AssertionError: it is by several.
    """
    try:
        store = await open_store(default_url(data_dir), make=False)
    except StoreMissing:
        assert not (data_dir / COLLECTION).exists()
        return None
    except StoreError as error:
        if "was not finished" not in str(error):
            raise
        return None
    try:
        found = await words_in(store)
    finally:
        await store.close()
    found |= {(data_dir / name).read_text() for name in ("admin-password", "tls/server.pem")}
    assert len(found) == 1, f"half of each: {found}"
    return found.pop()


async def left_held(data_dir: Path) -> set[str]:
    """What a killed backup still held, all of which a server's workers are told to delete."""
    store = await open_store(default_url(data_dir), make=False)
    liveness = await store.liveness("3-sweeping")
    left = await (await store.contents(COLLECTION, liveness)).left_behind()
    await liveness.release()
    await store.close()
    held = {file.name for file in (data_dir / COLLECTION).iterdir() if file.name.startswith(HOLDING)}
    assert held <= set(left)
    for name in held:
        (data_dir / COLLECTION / name).unlink()
    return held


async def words_in(store: Store) -> set[str]:
    """The words of documents and contents."""
    liveness = await store.liveness("2-looking")
    try:
        contents = await store.contents(COLLECTION, liveness)
        found = set()
        for document in (await store.load()).documents:
            word, _, name = document.body.decode().partition(" ")
            found |= {word, (await contents.read(name)).decode()}
        return found
    finally:
        await liveness.release()


def backups(folder: Path) -> int:
    """A backup: under the archive's name there is never less than a whole one, and the data are as before."""
    settings = Settings(data_dir=folder / "data")
    archive = folder / "backup.tar"
    asyncio.run(fill(settings.data_dir, "first"))

    held: set[str] = set()

    def before() -> None:
        archive.unlink(missing_ok=True)

    def after(ended: bool) -> None:
        assert archive.exists() or not ended
        assert asyncio.run(word_of(settings.data_dir)) == "first"
        assert not any_alive(settings.data_dir / "workers")
        left = asyncio.run(left_held(settings.data_dir))
        assert not (left and ended)
        held.update(left)
        if archive.exists():
            asyncio.run(restore(Settings(data_dir=folder / "restored"), archive, NOW, replace=True))
            assert asyncio.run(word_of(folder / "restored")) == "first"
            if ended:
                assert not archive.with_name(archive.name + MADE_IN).exists()

    def command() -> None:
        asyncio.run(back_up(settings, archive, NOW))

    killed = killed_at_each_step(command, before, after)
    assert held, "no step was seen at which contents are held"
    return killed


def restores(folder: Path, *, replaced: bool) -> int:
    """A restore: the directory is what it was, or what it shall be, or one that nobody opens."""
    asyncio.run(fill(folder / "source", "second"))
    archive = folder / "backup.tar"
    asyncio.run(back_up(Settings(data_dir=folder / "source"), archive, NOW))
    settings = Settings(data_dir=folder / "data")
    seen = set()
    if replaced:
        asyncio.run(fill(folder / "old", "first"))

    def before() -> None:
        shutil.rmtree(settings.data_dir, ignore_errors=True)
        if replaced:
            shutil.copytree(folder / "old", settings.data_dir)

    def after(ended: bool) -> None:
        found = asyncio.run(word_of(settings.data_dir))
        seen.add(found)
        assert found == "second" or not ended
        # Whatever was left, it can be done again.
        asyncio.run(restore(settings, archive, NOW, replace=True))
        assert asyncio.run(word_of(settings.data_dir)) == "second"

    def command() -> None:
        asyncio.run(restore(settings, archive, NOW, replace=replaced))

    killed = killed_at_each_step(command, before, after)
    assert seen == ({"first", None, "second"} if replaced else {None, "second"})
    return killed


def served(data_dir: Path, word: str, vms: int) -> None:
    """A data directory as a server has it."""
    settings = Settings(data_dir=data_dir, datacenters=1, clusters=1, hosts=1, vms=vms)
    data_dir.mkdir()
    (data_dir / "admin-password").write_text(word)
    asyncio.run(fill_server(settings, word))


def commit(settings: Settings, archive: Path) -> None:
    """Have the archive take the place of what is there, as the API does."""
    staging = settings.data_dir / STAGING
    staging.mkdir()
    job = RestoreJob(id=LAST, owner="1-dead", location="nfs://nas/exports", parts=PARTS, start_time=NOW)
    (staging / NOTE).write_bytes(msgspec.json.encode(Note(job=job)))
    shutil.copy(archive, staging / COMMITTED)


async def served_word(data_dir: Path) -> str | None:
    """The one word that a server's directory is by; ``None`` where nobody can open it."""
    try:
        store = await open_store(default_url(data_dir), make=False)
    except StoreError:
        return None
    try:
        documents = (await store.load()).documents
    finally:
        await store.close()
    machines = sum(document.kind == "virtual_machine" for document in documents)
    restored = any(document.kind == "restore_job" for document in documents)
    word = "second" if machines == SECOND_VMS else "first"
    assert (data_dir / "admin-password").read_text() == word, "half of each"
    assert not restored or word == "second"
    return f"{word}, and told" if restored else word


def committed_restores(folder: Path) -> int:
    """A restore by the API, from the moment on at which it is committed: the server is the old one, or the new one, or
    one that starts on neither; and the next start makes it the new one."""
    served(folder / "source", "second", SECOND_VMS)
    archive = folder / "backup.tar"
    asyncio.run(back_up(Settings(data_dir=folder / "source"), archive, NOW))
    settings = Settings(data_dir=folder / "data")
    served(folder / "old", "first", 1)
    seen = set()

    def before() -> None:
        shutil.rmtree(settings.data_dir, ignore_errors=True)
        shutil.copytree(folder / "old", settings.data_dir)
        commit(settings, archive)

    def after(ended: bool) -> None:
        found = asyncio.run(served_word(settings.data_dir))
        seen.add(found)
        assert is_committed(settings) or found == "second, and told"
        assert not (ended and is_committed(settings))
        restored(settings)
        assert asyncio.run(served_word(settings.data_dir)) == "second, and told"
        assert not list(settings.data_dir.glob(f"{STAGING}/*"))

    killed = killed_at_each_step(lambda: put_in_place(settings, NOW), before, after)
    assert seen >= {"first", None, "second, and told"}
    return killed


def main(folder: Path, command: str) -> None:
    """Run one of them."""
    if command == "committed":
        killed = committed_restores(folder)
    else:
        killed = backups(folder) if command == "backup" else restores(folder, replaced=command == "replace")
    assert killed >= FEWEST_STEPS, f"it has only {killed} steps"


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
