"""Restorations of the API on the server's side: what is tried before, and what cannot take the place."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from resphere.auth.accounts import Account
from resphere.contract.generated.vcenter_services import Service
from resphere.inventory.vcenter_services import ServiceState
from resphere.recovery.archives import PARTS
from resphere.recovery.layout import Metadata
from resphere.recovery.record import SCHEDULES, BackupSchedule
from resphere.replica.replica import Replica
from resphere.replica.sealing import open_sealing
from resphere.server.backup import STAGING, back_up
from resphere.server.recovery import COMMITTED, ServerArchives, is_committed, tidy, try_apart
from resphere.server.serve import restored
from resphere.server.settings import Settings
from resphere.store.engines import DEFAULT, default_url, open_store
from tests.server.killed_backups import SECOND_VMS, commit, served, served_word
from tests.support.world import World

NOW = datetime(2026, 11, 30, tzinfo=UTC)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """A backup of a server."""
    served(tmp_path / "source", "second", SECOND_VMS)
    asyncio.run(keep_secret(tmp_path / "source"))
    path = tmp_path / "backup.tar"
    asyncio.run(back_up(Settings(data_dir=tmp_path / "source"), path, NOW))
    return path


async def keep_secret(data_dir: Path) -> None:
    """Have something in the store that is encrypted."""
    store = await open_store(default_url(data_dir))
    replica = Replica(store, (SCHEDULES,), sealing=await open_sealing(store, os.urandom))
    await replica.load()
    schedule = BackupSchedule(id="nightly", location="nfs://nas/exports", backup_password="Keeps-1-Thing")
    await replica.change(lambda edit: edit.put(schedule))
    await store.close()


def damaged(archive: Path) -> Path:
    """The archive with another byte in it."""
    content = bytearray(archive.read_bytes())
    content[len(content) // 2] ^= 1
    archive.write_bytes(content)
    return archive


def tried(settings: Settings, archive: Path) -> str | None:
    """What is found wrong with it."""
    return try_apart(settings, archive, settings.data_dir / "tried", PARTS, NOW)


class TestWhatIsTried:
    """In a process of its own, before anything is given up."""

    @pytest.fixture
    def settings(self, tmp_path: Path) -> Settings:
        (tmp_path / "data").mkdir()
        return Settings(data_dir=tmp_path / "data")

    def test_one_that_is_whole(self, settings: Settings, archive: Path) -> None:
        assert tried(settings, archive) is None

    def test_one_that_is_damaged(self, settings: Settings, archive: Path) -> None:
        why = tried(settings, damaged(archive))
        assert why is not None
        assert "damaged" in why
        assert str(archive.parent) not in why

    def test_none_at_all(self, settings: Settings, tmp_path: Path) -> None:
        (tmp_path / "none").write_text("no archive")
        assert "no backup" in (tried(settings, tmp_path / "none") or "")

    def test_settings_that_ask_for_another_inventory(self, settings: Settings, archive: Path) -> None:
        """A start with them would be refused later."""
        other = msgspec.structs.replace(settings, vms=40, given=frozenset({"vms"}))
        assert "--vms" in (tried(other, archive) or "")

    def test_a_key_of_secrets_that_is_another(self, settings: Settings, archive: Path) -> None:
        other = msgspec.structs.replace(settings, secrets_key="ab" * 32)
        assert "cannot be decrypted" in (tried(other, archive) or "")


def test_a_committed_one_that_is_damaged_leaves_the_server_as_it_was(tmp_path: Path, archive: Path) -> None:
    """What was whole when it was committed may be damaged by the disk since."""
    served(tmp_path / "data", "first", 1)
    settings = Settings(data_dir=tmp_path / "data")
    commit(settings, damaged(archive))
    restored(settings)
    assert not is_committed(settings)
    assert asyncio.run(served_word(tmp_path / "data")) == "first"


def test_what_a_killed_server_has_left_goes_but_what_is_committed(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    staging = tmp_path / STAGING
    tidy(settings)
    for name in ("backup", "tried"):
        (staging / name).mkdir(parents=True)
        (staging / name / "file").write_text("left")
    for name in ("incoming.tar", COMMITTED, "restore.json"):
        (staging / name).write_text("left")
    tidy(settings)
    assert sorted(path.name for path in staging.iterdir()) == ["restore.json", COMMITTED]
    (staging / COMMITTED).unlink()
    tidy(settings)
    assert not list(staging.iterdir())


class TestEmptyServers:
    """Only a server that nobody has changed is restored into."""

    @pytest.fixture
    def world(self, tmp_path: Path) -> Iterator[World]:
        # What stands in an inventory from the first start on is no change: no event tells of it.
        with World(tmp_path, ()) as made:
            yield made

    def refusal(self, world: World, metadata: Metadata | None = None) -> str | None:
        archives = world.environment.recovery.archives
        assert isinstance(archives, ServerArchives)
        found = world.run(archives.refusal(metadata))
        return None if found is None else found.id.rpartition(".")[2]

    def test_one_that_is(self, world: World) -> None:
        assert self.refusal(world) is None

    def test_a_change(self, world: World) -> None:
        world.put(ServiceState(id="sps", startup_type=Service.StartupType.MANUAL, state=Service.State.STOPPED))
        assert self.refusal(world) == "not_empty"

    def test_an_account(self, world: World) -> None:
        world.put(Account(id="ann@vsphere.local", name="ann@vsphere.local", password_hash="x"))
        assert self.refusal(world) == "not_empty"

    def test_backups_of_other_servers(self, world: World) -> None:
        metadata = Metadata(
            timestamp=NOW,
            parts=PARTS,
            version="8.0.3.00000",
            build="1",
            system_name="vc",
            job="1",
            made_by="resphere 1",
            engine=DEFAULT,
            form=1,
            provider="simulator",
            encrypted=False,
            file="backup.tar",
            size_bytes=1,
            sha256="0",
        )
        assert self.refusal(world, metadata) is None
        for field, value, why in (
            ("format", 2, "newer"),
            ("form", 10_000, "newer"),
            ("engine", "other", "engine"),
            ("provider", "processes", "provider"),
        ):
            assert self.refusal(world, msgspec.structs.replace(metadata, **{field: value})) == why
