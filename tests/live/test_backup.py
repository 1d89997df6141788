"""Backups of a running server: whatever was acknowledged before is in them, and a restored server serves it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from tests.live.test_guest import GUEST_PASSWORD, ask, put
from tests.support.cli import resphere
from tests.support.server import WITHOUT_TLS, Client, Server
from tests.support.vms import ON, any_vm, bring

BACKUPS = 3
WRITERS = 3
TIMES = 10_000
"""How often a number is repeated in a file, so that it is a large one: a content, and not in the store."""
FILE = "/root/number.txt"
ENVIRONMENT = {"RESPHERE_GUEST_PASSWORD": GUEST_PASSWORD}


def back_up(server: Server, archive: Path) -> None:
    """``resphere backup``."""
    done = resphere("backup", str(archive), "--data-dir", str(server.data_dir))
    assert (done.returncode, done.stderr) == (0, "")


def restored(archive: Path, data_dir: Path, *flags: str) -> Path:
    """``resphere restore``."""
    done = resphere("restore", str(archive), "--data-dir", str(data_dir), *flags)
    assert (done.returncode, done.stderr) == (0, "")
    return data_dir


def linux_vms(client: Client, count: int) -> list[str]:
    """VMs with a Linux guest, which run."""
    found: list[str] = []
    for row in client.read("/api/vcenter/vm"):
        reply = client.get(f"/api/vcenter/vm/{row['vm']}")
        if reply.json()["guest_OS"].startswith(("RHEL", "UBUNTU")) and len(found) < count:
            bring(client, row["vm"], ON)
            found.append(row["vm"])
    assert len(found) == count
    return found


def number_in(client: Client, vm: str) -> int:
    """The number that the guest's file has, all of it."""
    reply = ask(client, vm, "filesystem?action=create", spec={"path": FILE})
    assert reply.status_code == 201, reply.text
    content = requests.get(reply.json(), verify=client.http.verify, timeout=60).content
    assert len(content) == 8 * TIMES
    assert content == content[:8] * TIMES
    return int(content[:8])


def folders_named(client: Client, word: str) -> set[str]:
    """The folders whose names begin so."""
    rows = client.read("/api/vcenter/folder", params={"type": "VIRTUAL_MACHINE"})
    return {row["name"] for row in rows if row["name"].startswith(word)}


class Writer:
    """Writes ever higher numbers into a guest's file and into names of folders, and counts those acknowledged."""

    def __init__(self, client: Client, vm: str, parent: str) -> None:
        self.client = client
        self.vm = vm
        self.parent = parent
        self.acknowledged = 0

    def write(self) -> None:
        """The next number."""
        number = self.acknowledged + 1
        put(self.client, self.vm, FILE, b"%08d" % number * TIMES)
        body = {"name": f"{self.vm}-{number}", "parent": self.parent}
        reply = self.client.post("/api/vcenter/folder", json=body)
        assert reply.status_code == 201, reply.text
        self.acknowledged = number

    def run(self, stopped: threading.Event) -> None:
        """Go on until told to stop."""
        while not stopped.is_set():
            self.write()


@contextmanager
def writing(server: Server) -> Iterator[list[Writer]]:
    """Writers that have begun, and go on until the end of this."""
    with server.session() as client:
        vms = linux_vms(client, WRITERS)
        parent = client.read("/api/vcenter/folder", params={"type": "VIRTUAL_MACHINE"})[0]["folder"]
    writers = [Writer(server.session(), vm, parent) for vm in vms]
    for writer in writers:
        writer.write()
    stopped = threading.Event()
    with ThreadPoolExecutor(WRITERS) as pool:
        running = [pool.submit(writer.run, stopped) for writer in writers]
        try:
            yield writers
        finally:
            stopped.set()
            for each in running:
                each.result()
            for writer in writers:
                writer.client.close()


def test_whatever_was_acknowledged_before_a_backup_began_is_in_it(tmp_path: Path) -> None:
    made: list[tuple[Path, dict[str, int]]] = []
    with (
        Server(tmp_path / "data", "--workers", "2", WITHOUT_TLS, environment=ENVIRONMENT) as server,
        writing(server) as writers,
    ):
        for number in range(BACKUPS):
            sure = {writer.vm: writer.acknowledged for writer in writers}
            back_up(server, tmp_path / f"{number}.tar")
            made.append((tmp_path / f"{number}.tar", sure))
    for archive, sure in made:
        data_dir = restored(archive, tmp_path / archive.stem)
        # Whose inventory must be sound in the end.
        with Server(data_dir, WITHOUT_TLS, environment=ENVIRONMENT) as server, server.session() as client:
            for vm, count in sure.items():
                assert number_in(client, vm) >= count
                assert {f"{vm}-{number}" for number in range(1, count + 1)} <= folders_named(client, f"{vm}-")


def test_what_a_killed_server_acknowledged_is_in_a_backup(tmp_path: Path) -> None:
    server = Server(tmp_path / "data", WITHOUT_TLS, environment=ENVIRONMENT)
    with server, server.session() as client:
        vm = linux_vms(client, 1)[0]
        parent = client.read("/api/vcenter/folder", params={"type": "VIRTUAL_MACHINE"})[0]["folder"]
        writer = Writer(client, vm, parent)
        for _ in range(5):
            writer.write()
        server.kill()
        back_up(server, tmp_path / "backup.tar")
    data_dir = restored(tmp_path / "backup.tar", tmp_path / "restored")
    with Server(data_dir, WITHOUT_TLS, environment=ENVIRONMENT) as again, again.session() as client:
        assert number_in(client, vm) == writer.acknowledged
        assert len(folders_named(client, f"{vm}-")) == writer.acknowledged


def test_a_restored_server_is_the_one_of_then(tmp_path: Path) -> None:
    server = Server(tmp_path / "data", password=None)
    with server:
        password = (server.data_dir / "admin-password").read_text().strip()
        with server.session(password=password) as client:
            vm = any_vm(client)
            identity = client.read("/api")
            back_up(server, tmp_path / "backup.tar")
            name = client.read(f"/api/vcenter/vm/{vm}")["name"]
            assert client.patch(f"/api/vcenter/vm/{vm}", json={"name": "later"}).status_code == 204
            said = resphere("restore", str(tmp_path / "backup.tar"), "--data-dir", str(server.data_dir), "--replace")
            assert said.returncode == 1
            assert "is in use: stop the server first" in said.stderr
            listed = client.get("/api/vcenter/vm")
            assert "later" in {row["name"] for row in listed.json()}
            certificate = server.ca.read_bytes()
        server.stop()
        restored(tmp_path / "backup.tar", server.data_dir, "--replace")
        server.start()
        assert server.ca.read_bytes() == certificate
        with server.session(password=password) as again:
            assert again.read("/api") == identity
            assert again.read(f"/api/vcenter/vm/{vm}")["name"] == name
            # Nothing that a client has kept of what came after the backup is taken for what is there now.
            bring(again, vm, ON)
            assert again.get("/api/vcenter/vm", headers={"If-None-Match": listed.headers["ETag"]}).status_code == 200
            # Sessions of then have ended.
            again.http.headers["vmware-api-session-id"] = client.token
            assert again.get("/api/vcenter/vm").status_code == 401


@pytest.mark.parametrize("flags", [(), ("--replace",)])
def test_nothing_serves_a_directory_that_was_restored_by_half(tmp_path: Path, flags: tuple[str, ...]) -> None:
    with Server(tmp_path / "data", WITHOUT_TLS) as server:
        back_up(server, tmp_path / "backup.tar")
    half = tmp_path / "data" if flags else tmp_path / "new"
    # As whoever is killed in the midst leaves it.
    (half / "resphere.db-restoring").mkdir(parents=True)
    for arguments in (("serve", "--port", "0"), ("user", "list"), ("backup", str(tmp_path / "other.tar"))):
        said = resphere(*arguments, "--data-dir", str(half))
        assert said.returncode == 1
        assert "a restore into it was not finished; run resphere restore again, with --replace" in said.stderr
        assert "Traceback" not in said.stderr
    restored(tmp_path / "backup.tar", half, "--replace")
    with Server(half, WITHOUT_TLS) as again, again.session() as client:
        assert client.read("/api/vcenter/vm")


def test_a_backup_knows_all_that_is_in_a_data_directory(tmp_path: Path) -> None:
    """Whoever adds a file says in ``server/backup.py`` whether backups need it, and here."""
    kept = {"admin-password", "guest-files", "library-files", "resphere.db", "secrets.key", "tls"}
    # A backup signs no audit log, and makes no tokens of the server that it is of.
    signing = {"audit", "audit.key", "tokens.key"}
    made_anew = {"bells", "failed-logins", "log", "resphere.db-shm", "resphere.db-wal", "support-bundles", "workers"}
    made_anew |= signing
    with Server(tmp_path / "data", password=None) as server:
        with server.session(password=(server.data_dir / "admin-password").read_text().strip()) as client:
            after = client.read("/api/resphere/events?size=1000")["next"]
            client.read(f"/api/resphere/events?after={after}&wait=1")  # a bell is hung up for that
        assert besides_locks(server.data_dir) == kept | made_anew
        back_up(server, tmp_path / "backup.tar")
    restored(tmp_path / "backup.tar", tmp_path / "restored")
    # No file of a guest is so large that it was kept apart, and there is no content library.
    of_its_record = {"audit", "audit.key", "log"}
    assert besides_locks(tmp_path / "restored") == kept - {"guest-files", "library-files"} | of_its_record


def besides_locks(folder: Path) -> set[str]:
    """The names in a folder, but for those of locks."""
    return {file.name for file in folder.iterdir() if file.suffix != ".lock"}
