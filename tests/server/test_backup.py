"""Backups of a data directory and their restoration: what is in them, and what is refused."""

from __future__ import annotations

import asyncio
import stat
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from resphere.auth.sessions import Session
from resphere.cli.main import main
from resphere.server.archive import Archive, ArchiveError, Manifest
from resphere.server.backup import back_up, require_usable, restore
from resphere.server.forms.record import FORM, FormRecord
from resphere.server.settings import Settings
from resphere.store.base import Store, Transaction, Write
from resphere.store.engines import DEFAULT, default_url, open_store
from tests.server.killed_backups import fill, word_of
from tests.support.server import clean_environment

NOW = datetime(2026, 11, 29, tzinfo=UTC)


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    asyncio.run(fill(folder, "first"))
    return folder


@pytest.fixture
def archive(tmp_path: Path, data_dir: Path) -> Path:
    archive = tmp_path / "backup.tar"
    asyncio.run(back_up(Settings(data_dir=data_dir), archive, NOW))
    return archive


@pytest.mark.parametrize("command", ["backup", "restore", "replace", "committed"])
def test_killed_at_any_step_it_leaves_nothing_that_is_taken_for_a_whole(tmp_path: Path, command: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.server.killed_backups", str(tmp_path), command],
        env=clean_environment(),
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_all_of_it_comes_back(tmp_path: Path, archive: Path, capsys: pytest.CaptureFixture[str]) -> None:
    restored = tmp_path / "restored"
    assert main(["restore", str(archive), "--data-dir", str(restored)]) == 0
    assert capsys.readouterr().out.startswith(f"{restored}: 6 files, ")
    assert asyncio.run(word_of(restored)) == "first"
    assert stat.S_IMODE(restored.stat().st_mode) == 0o700
    of_its_record = {restored / "log", restored / "audit"}
    files = [file for file in restored.rglob("*") if file.is_file() and file.parent not in of_its_record]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


class TestPasswords:
    """Archives that a password encrypts."""

    @pytest.fixture
    def password(self, tmp_path: Path) -> Path:
        path = tmp_path / "password"
        path.write_text("a password of mine\n")
        path.chmod(0o600)
        return path

    @pytest.fixture
    def sealed(self, tmp_path: Path, data_dir: Path, password: Path) -> Path:
        archive = tmp_path / "backup.sealed"
        flags = ["--data-dir", str(data_dir), "--password-file", str(password)]
        assert main(["backup", str(archive), *flags]) == 0
        return archive

    def test_they_come_back(self, tmp_path: Path, sealed: Path, password: Path) -> None:
        assert b"first" not in sealed.read_bytes()
        restored = tmp_path / "restored"
        assert main(["restore", str(sealed), "--data-dir", str(restored), "--password-file", str(password)]) == 0
        assert asyncio.run(word_of(restored)) == "first"

    def test_without_or_with_another_password(
        self, tmp_path: Path, sealed: Path, password: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        restored = tmp_path / "restored"
        assert main(["restore", str(sealed), "--data-dir", str(restored)]) == 1
        assert "is encrypted: its password is needed" in capsys.readouterr().err
        password.write_text("another\n")
        assert main(["restore", str(sealed), "--data-dir", str(restored), "--password-file", str(password)]) == 1
        assert "the password is not the one" in capsys.readouterr().err
        assert asyncio.run(word_of(restored)) is None

    def test_a_password_for_what_is_not_encrypted(
        self, tmp_path: Path, archive: Path, password: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        flags = ["--data-dir", str(tmp_path / "restored"), "--password-file", str(password)]
        assert main(["restore", str(archive), *flags]) == 1
        assert "is not encrypted, and has no password" in capsys.readouterr().err

    def test_a_file_that_others_may_read(
        self, tmp_path: Path, data_dir: Path, password: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        password.chmod(0o644)
        flags = ["--data-dir", str(data_dir), "--password-file", str(password)]
        assert main(["backup", str(tmp_path / "b"), *flags]) == 1
        assert "--password-file" in capsys.readouterr().err
        assert not (tmp_path / "b").exists()

    def test_one_that_is_damaged(
        self, tmp_path: Path, sealed: Path, password: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        content = bytearray(sealed.read_bytes())
        content[-20] ^= 1
        sealed.write_bytes(content)
        flags = ["--data-dir", str(tmp_path / "restored"), "--password-file", str(password)]
        assert main(["restore", str(sealed), *flags]) == 1
        assert "damaged" in capsys.readouterr().err
        assert asyncio.run(word_of(tmp_path / "restored")) is None


def test_a_store_of_another_place(tmp_path: Path) -> None:
    def settings(name: str) -> Settings:
        return Settings(data_dir=tmp_path / name, store=default_url(tmp_path / f"{name}-store"))

    async def scenario() -> None:
        (tmp_path / "first-store").mkdir()
        (tmp_path / "first").mkdir()
        (tmp_path / "first" / "admin-password").write_text("secret")
        store = await open_store(settings("first").store_url)
        await store.commit(Transaction((Write("a", "1", b"{}"),)))
        key = await store.keys.get("secrets", 32)
        await store.close()
        trusted = Path("tls", "trusted", "root.pem")
        (tmp_path / "first" / trusted).parent.mkdir(parents=True)
        (tmp_path / "first" / trusted).write_text("a root")
        await back_up(settings("first"), tmp_path / "backup.tar", NOW)
        await restore(settings("second"), tmp_path / "backup.tar", NOW, replace=False)
        assert (tmp_path / "second" / "admin-password").read_text() == "secret"
        assert (tmp_path / "second" / trusted).read_text() == "a root"
        store = await open_store(settings("second").store_url, make=False)
        assert await store.document("a", "1") is not None
        assert await store.keys.get("secrets", 32) == key
        await store.close()

    asyncio.run(scenario())


def test_what_is_replaced_and_what_is_not(tmp_path: Path, archive: Path) -> None:
    other = tmp_path / "other"
    asyncio.run(fill(other, "other"))
    (other / "tls" / "ca.pem").write_text("other")
    (other / "notes.txt").write_text("mine")
    assert main(["restore", str(archive), "--data-dir", str(other), "--replace"]) == 0
    assert asyncio.run(word_of(other)) == "first"
    # What belongs to a server is as in the backup, also what is not in there.
    assert not (other / "tls" / "ca.pem").exists()
    assert len(list((other / "guest-files").iterdir())) == 2
    assert (other / "notes.txt").read_text() == "mine"


def test_nothing_is_replaced_where_no_server_was(
    tmp_path: Path, archive: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other"
    (other / "tls").mkdir(parents=True)
    (other / "tls" / "key.pem").write_text("mine")
    said = refused(capsys, "restore", archive, "--data-dir", other, "--replace")
    assert f"{other} is not empty and no server's" in said
    assert (other / "tls" / "key.pem").read_text() == "mine"
    assert [file.name for file in other.iterdir() if file.suffix != ".lock"] == ["tls"]


def test_sessions_do_not_come_back(tmp_path: Path) -> None:
    data_dir, restored = tmp_path / "data", tmp_path / "restored"

    async def scenario() -> None:
        data_dir.mkdir()
        store = await open_store(default_url(data_dir))
        await store.commit(Transaction((Write(Session.kind, "s", b"{}"), Write("a", "1", b"{}"))))
        await store.close()
        await back_up(Settings(data_dir=data_dir), tmp_path / "backup.tar", NOW)
        await restore(Settings(data_dir=restored), tmp_path / "backup.tar", NOW, replace=False)
        store = await open_store(default_url(restored), make=False)
        assert [document.kind for document in (await store.load()).documents] == ["a"]
        await store.close()

    asyncio.run(scenario())


def test_the_manifest_says_what_it_is(archive: Path) -> None:
    with Archive(archive) as opened:
        manifest = opened.manifest
    assert manifest.created_time == NOW
    assert manifest.made_by.startswith("resphere ")
    # Nobody has numbered the documents of this store.
    assert (manifest.store.engine, manifest.store.schema, manifest.store.form) == (DEFAULT, 4, 1)


def refused(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> str:
    """What a command that fails says."""
    assert main([str(argument) for argument in arguments]) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("resphere: ")
    assert len(shown.err.splitlines()) == 1
    return shown.err


def test_refusals_of_a_backup(
    tmp_path: Path, data_dir: Path, archive: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = archive.read_bytes()
    assert f"{archive} exists already" in refused(capsys, "backup", archive, "--data-dir", data_dir)
    assert archive.read_bytes() == before
    new = tmp_path / "new.tar"
    assert "there is no store" in refused(capsys, "backup", new, "--data-dir", tmp_path / "nowhere")
    assert f"cannot write {tmp_path / 'no' / 'b.tar'}: No such file" in refused(
        capsys, "backup", tmp_path / "no" / "b.tar", "--data-dir", data_dir
    )
    (data_dir / "resphere.db").write_bytes(b"no database at all " * 100)
    assert "cannot copy" in refused(capsys, "backup", new, "--data-dir", data_dir)
    assert [file.name for file in tmp_path.iterdir() if file.name.startswith("new")] == []


def test_refusals_of_a_restore(
    tmp_path: Path, data_dir: Path, archive: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert f"{data_dir} is not empty; --replace" in refused(capsys, "restore", archive, "--data-dir", data_dir)
    whole = archive.read_bytes()
    archive.write_bytes(whole[: len(whole) // 2])
    for flags in ([], ["--replace"]):
        new = tmp_path / "new"
        assert f"{archive} is damaged" in refused(capsys, "restore", archive, "--data-dir", new, *flags)
        assert asyncio.run(word_of(new)) is None
    # The first refusal leaves nothing that the next would take for data.
    archive.write_bytes(whole)
    assert main(["restore", str(archive), "--data-dir", str(tmp_path / "new")]) == 0
    capsys.readouterr()
    archive.write_bytes(whole[:-20_000])
    assert f"{archive} is damaged" in refused(capsys, "restore", archive, "--data-dir", data_dir, "--replace")
    assert asyncio.run(word_of(data_dir)) == "first"
    assert "No such file" in refused(capsys, "restore", tmp_path / "none.tar", "--data-dir", data_dir, "--replace")


def test_a_store_that_somebody_has_open(data_dir: Path, archive: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with asyncio.Runner() as runner:
        store: Store = runner.run(open_store(default_url(data_dir)))
        said = refused(capsys, "restore", archive, "--data-dir", data_dir, "--replace")
        assert "is in use: stop the server first" in said
        runner.run(store.close())
    assert asyncio.run(word_of(data_dir)) == "first"


def test_a_server_of_a_release_that_locks_nothing_but_its_sign_of_life(
    data_dir: Path, archive: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with asyncio.Runner() as runner:
        store = runner.run(open_store(default_url(data_dir)))
        liveness = runner.run(store.liveness("1-old"))
        runner.run(store.close())
        assert "is in use" in refused(capsys, "restore", archive, "--data-dir", data_dir, "--replace")
        runner.run(liveness.release())
    assert main(["restore", str(archive), "--data-dir", str(data_dir), "--replace"]) == 0


def test_a_backup_of_documents_of_a_newer_form(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data_dir, archive = tmp_path / "data", tmp_path / "backup.tar"

    async def scenario() -> None:
        data_dir.mkdir()
        store = await open_store(default_url(data_dir))
        newer = msgspec.json.encode(FormRecord(FORM + 1))
        await store.commit(Transaction((Write(FormRecord.kind, FormRecord.only, newer),)))
        await store.close()
        await back_up(Settings(data_dir=data_dir), archive, NOW)

    asyncio.run(scenario())
    said = refused(capsys, "restore", archive, "--data-dir", tmp_path / "new")
    assert f"of form {FORM + 1}, this release knows up to {FORM}" in said
    assert not (tmp_path / "new").exists()


def test_a_backup_of_another_engine(archive: Path) -> None:
    with Archive(archive) as opened:
        manifest: Manifest = opened.manifest
    other = msgspec.structs.replace(manifest, store=msgspec.structs.replace(manifest.store, engine="other"))
    with pytest.raises(ArchiveError, match=f"is of a store of other, and --store is one of {DEFAULT}"):
        require_usable(archive, other, DEFAULT)
