"""Backups by the API, to real servers, and what becomes of them on an empty one; whoever is killed meanwhile."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.live.test_backup import FILE, TIMES, linux_vms, number_in
from tests.live.test_guest import GUEST_PASSWORD, put
from tests.recovery.places.test_failures import small_file_system
from tests.recovery.places.test_places import Reached, ftps, https, nfs, sftp, smb
from tests.support.cli import resphere
from tests.support.places import Certificates
from tests.support.server import Client, Server, wait_until
from tests.support.stalling import StallingServer

RECOVERY = "/api/appliance/recovery"
JOB = f"{RECOVERY}/backup/job"
RESTORE = f"{RECOVERY}/restore"
BACKUP_PASSWORD = "Keeps-1-Thing"
ENVIRONMENT = {"RESPHERE_GUEST_PASSWORD": GUEST_PASSWORD}
LOCAL = ("--backup-to", "127.0.0.1")
END_SECONDS = 60
SMALL = ("--datacenters", "1", "--clusters", "1", "--hosts", "2", "--vms", "8")


def request(reached: Reached, **more: Any) -> dict[str, Any]:
    """The body that asks for a backup."""
    type = reached.url.partition(":")[0].upper()
    login = {"location_user": reached.login.user, "location_password": reached.login.password}
    body = {"parts": ["seat"], "location_type": type, "location": reached.url, "backup_password": BACKUP_PASSWORD}
    return body | {name: value for name, value in login.items() if value is not None} | more


def finished(client: Client, job: str) -> dict[str, Any]:
    """The job when it has ended."""

    def ended() -> Any:
        status = client.read(f"{JOB}/{job}")
        return status if status["state"] != "INPROGRESS" else None

    found: dict[str, Any] = wait_until(ended, "the end of the backup", END_SECONDS)
    return found


def back_up(client: Client, body: dict[str, Any]) -> str:
    """Make a backup; its id."""
    reply = client.post(JOB, json=body)
    assert reply.status_code == 201, reply.text
    job = str(reply.json()["id"])
    status = finished(client, job)
    assert (status["state"], status["messages"], status["progress"]) == ("SUCCEEDED", [], 100)
    return job


def place_of_latest(client: Client, body: dict[str, Any]) -> str:
    """The location that the latest backup is restored from, found as people do."""
    names = ("location", "location_user", "location_password")
    spec = {name: body[name] for name in names if name in body}
    (system,) = client.post(f"{RECOVERY}/backup/system-name?action=list", json=spec).json()
    archives = f"{RECOVERY}/backup/system-name/{system}/archives"
    (latest, *_) = client.post(f"{archives}?action=list", json={"loc_spec": spec, "filter_spec": {}}).json()
    info = client.post(f"{archives}/{latest['archive']}?action=get", json=spec).json()
    assert info["parts"] == ["common", "seat"]
    return str(info["location"])


def restore(server: Server, client: Client, body: dict[str, Any]) -> Client:
    """Restore, and log in at what is there then."""
    reply = client.post(f"{RESTORE}/job", json=body)
    assert reply.status_code == 201, reply.text
    wait_until(lambda: outcome(client), "the restart", END_SECONDS)
    again = server.session()
    assert again.read(f"{RESTORE}/job")["state"] == "SUCCEEDED"
    return again


def outcome(client: Client) -> bool:
    """Whether the session has ended, as all do when a backup takes the place of what was there."""
    try:
        reply = client.get(f"{RESTORE}/job", timeout=5)
    except requests.RequestException:
        return False
    if reply.status_code == 200:
        assert reply.json()["state"] == "INPROGRESS", reply.text
    return reply.status_code == 401


def exported(data_dir: Path, file: Path) -> Any:
    """The inventory as ``resphere inventory export`` has it."""
    done = resphere("inventory", "export", str(file), "--data-dir", str(data_dir))
    assert done.returncode == 0, done.stderr
    return file.read_text()


Kind = Callable[[Path, ExitStack], Reached]


@pytest.fixture(params=(sftp, ftps, https, smb, nfs), ids=lambda kind: str(kind.__name__))
def reached(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Reached]:
    kind: Kind = request.param
    with ExitStack() as stack:
        yield kind(tmp_path, stack)


def flags_for(reached: Reached) -> tuple[str, ...]:
    """What the operator says."""
    known = reached.means.known_hosts
    hosts = () if known is None else ("--backup-known-hosts", str(known))
    folders = tuple(f"nfs://{export.host}{export.path}={folder}" for export, folder in reached.means.folders)
    return (*LOCAL, *hosts, *(each for folder in folders for each in ("--backup-folder", folder)))


def trusting(data_dir: Path, reached: Reached, tmp_path: Path) -> None:
    """Have a server trust the authority of the test."""
    if reached.url.startswith(("https:", "ftps:")):
        trusted = data_dir / "tls" / "trusted"
        trusted.mkdir(parents=True)
        (trusted / "test.pem").write_text(Certificates(tmp_path / "tls").ca.read_text())


def test_there_and_back(reached: Reached, tmp_path: Path) -> None:
    flags = (*flags_for(reached), "--workers", "2")
    for name in ("old", "new"):
        trusting(tmp_path / name, reached, tmp_path)
    body = request(reached, comment="before the move")
    with Server(tmp_path / "old", *flags, "--vms", "20", environment=ENVIRONMENT) as old, old.session() as client:
        assert client.post(f"{RECOVERY}/backup?action=validate", json=body).json() == {"status": "OK", "messages": []}
        (vm,) = linux_vms(client, 1)
        put(client, vm, FILE, b"%08d" % 7 * TIMES)
        made = client.post("/api/cis/tagging/category", json={"name": "kept", "cardinality": "MULTIPLE"} | CATEGORY)
        assert made.status_code == 201, made.text
        revision = client.get("/api/vcenter/folder").headers["ETag"]
        before = client.read("/api/vcenter/vm"), client.read("/api/vcenter/folder")
        job = back_up(client, body)
        details = client.read(f"{JOB}/details")[job]
        assert details["status"] == "SUCCEEDED"
        assert details["size"] > TIMES
        assert BACKUP_PASSWORD not in json.dumps(details)
        location = place_of_latest(client, body)
    inventory = exported(tmp_path / "old", tmp_path / "old.yaml")
    wanted = {name: value for name, value in body.items() if name not in ("parts", "comment")} | {"location": location}
    with Server(tmp_path / "new", *flags, environment=ENVIRONMENT) as new, new.session() as client:
        told = client.post(f"{RESTORE}?action=validate", json=wanted).json()
        assert (told["applicable"], told["comment"], told["messages"]) == (True, "before the move", [])
        with restore(new, client, wanted) as again:
            assert (again.read("/api/vcenter/vm"), again.read("/api/vcenter/folder")) == before
            assert number_in(again, vm) == 7
            assert again.get("/api/vcenter/folder").headers["ETag"] != revision
            assert again.read(f"{JOB}/{job}")["state"] == "SUCCEEDED"
            assert again.post(f"{RECOVERY}/reconciliation/job", json={}).status_code == 201
            ended = wait_until(
                lambda: (info := again.read(f"{RECOVERY}/reconciliation/job"))["status"] != "RUNNING" and info, "it"
            )
            assert (ended["status"], ended["messages"]) == ("SUCCEEDED", [])
            # It is a server as any other: not empty.
            refused = again.post(f"{RESTORE}/job", json=wanted)
            assert (refused.status_code, refused.json()["error_type"]) == (400, "NOT_ALLOWED_IN_CURRENT_STATE")
    assert exported(tmp_path / "new", tmp_path / "new.yaml") == inventory
    assert not list((tmp_path / "new" / "recovery").glob("*"))


CATEGORY = {"description": "", "associable_types": []}


@pytest.fixture
def stalling() -> Iterator[StallingServer]:
    server = StallingServer("PUT")
    yield server
    server.stop()


def to(stalling: StallingServer) -> dict[str, Any]:
    """A backup there."""
    return {"parts": [], "location_type": "HTTP", "location": stalling.url, "backup_password": BACKUP_PASSWORD}


def begin(client: Client, stalling: StallingServer) -> str:
    """A backup that has begun to be sent."""
    reply = client.post(JOB, json=to(stalling))
    assert reply.status_code == 201, reply.text
    assert stalling.stalled.wait(END_SECONDS)
    return str(reply.json()["id"])


def staged(server: Server) -> list[Path]:
    """What lies in the data directory for backups."""
    return sorted((server.data_dir / "recovery").glob("*"))


def archives_in(stalling: StallingServer) -> list[str]:
    """Files of which somebody could think that they are backups."""
    return [path for path in stalling.files if path.endswith("backup-metadata.json")]


def test_one_at_a_time_and_canceled(tmp_path: Path, stalling: StallingServer) -> None:
    with Server(tmp_path / "data", *LOCAL, "--workers", "2") as server, server.session() as client:
        job = begin(client, stalling)
        assert staged(server)
        body = to(stalling)
        schedule = {"schedule": "s", "spec": {"location": stalling.url}}
        assert client.post(f"{RECOVERY}/backup/schedules", json=schedule).status_code == 204
        for path, asked in (
            (JOB, body),
            (f"{RECOVERY}/backup?action=validate", body),
            (f"{RECOVERY}/backup/schedules/s?action=run", {}),
            (f"{RESTORE}/job", {name: value for name, value in body.items() if name != "parts"}),
            (f"{RECOVERY}/reconciliation/job", {}),
        ):
            refused = client.post(path, json=asked)
            assert (refused.status_code, refused.json()["error_type"]) == (400, "FEATURE_IN_USE"), path
        assert client.post(f"{JOB}/{job}?action=cancel").json() == {"status": "OK", "messages": []}
        stalling.go_on()
        status = finished(client, job)
        assert status["state"] == "FAILED"
        assert [each["id"] for each in status["messages"]] == ["resphere.recovery.canceled"]
        assert client.post(f"{JOB}/{job}?action=cancel").json()["status"] == "FAIL"
        assert stalling.files == {}
        assert not staged(server)
        back_up(client, body)
        assert len(archives_in(stalling)) == 1


def test_a_server_that_hangs_up_halfway(tmp_path: Path, stalling: StallingServer) -> None:
    with Server(tmp_path / "data", *LOCAL) as server, server.session() as client:
        job = begin(client, stalling)
        stalling.hang_up()
        status = finished(client, job)
        assert status["state"] == "FAILED"
        assert [each["id"] for each in status["messages"]] == ["resphere.recovery.failed"]
        assert not archives_in(stalling)
        assert not staged(server)


@pytest.mark.parametrize("whole", [True, False], ids=["server", "worker"])
def test_killed_within_a_backup(tmp_path: Path, stalling: StallingServer, whole: bool) -> None:
    with Server(tmp_path / "data", *LOCAL) as server:
        with server.session() as client:
            job = begin(client, stalling)
            assert staged(server)
        if whole:
            server.kill()
            server.start()
        else:
            (worker,) = server.workers
            subprocess.run(["kill", "-KILL", str(worker)], check=True)
        stalling.go_on()
        with server.session() as client:
            status = finished(client, job)
            assert status["state"] == "FAILED"
            assert [each["id"] for each in status["messages"]] == ["resphere.recovery.interrupted"]
            assert not archives_in(stalling)
            back_up(client, to(stalling))
            assert not staged(server)
        assert len(archives_in(stalling)) == 1


def test_killed_while_a_backup_is_taken_in(tmp_path: Path, stalling: StallingServer) -> None:
    """The server is the old one after that; then it is restored after all."""
    stalling.stalls.clear()
    with Server(tmp_path / "old", *LOCAL, *SMALL) as old, old.session() as client:
        back_up(client, to(stalling))
        before = client.read("/api/vcenter/vm")
    (file,) = (path for path in stalling.files if path.endswith("backup.tar.sealed"))
    location = stalling.url.removesuffix("/backups") + file.rpartition("/")[0]
    wanted = {name: value for name, value in to(stalling).items() if name != "parts"} | {"location": location}
    with Server(tmp_path / "new", *LOCAL) as new:
        with new.session() as client:
            present = client.read("/api/vcenter/vm")
            assert present != before
            stalling.stalls.add("GET")
            # The password is looked at first, at the beginning of the file.
            stalling.passed_over = 1
            assert client.post(f"{RESTORE}/job", json=wanted).status_code == 201
            wait_until(lambda: staged(new), "that it is taken in")
            assert client.read(f"{RESTORE}/job")["state"] == "INPROGRESS"
        new.kill()
        stalling.go_on()
        new.start()
        assert not staged(new)
        with new.session() as client:
            wait_until(lambda: client.read(f"{RESTORE}/job")["state"] == "FAILED", "that it is told")
            assert client.read("/api/vcenter/vm") == present
            with restore(new, client, wanted) as again:
                assert again.read("/api/vcenter/vm") == before


def test_what_is_wrong_stands_in_the_job(tmp_path: Path) -> None:
    (tmp_path / "nas").mkdir()
    export = f"nfs://nas/exports={tmp_path / 'nas'}"
    with Server(tmp_path / "data", "--backup-folder", export) as server, server.session() as client:
        for location, error in (("nfs://nas/elsewhere/a", "INVALID_ARGUMENT"), ("nfs://nas/exports/a", "NOT_FOUND")):
            refused = client.post(f"{RESTORE}/job", json={"location_type": "NFS", "location": location})
            assert refused.json()["error_type"] == error, refused.text
        for more, id in (
            ({"backup_password": "short"}, "backup_password"),
            ({"parts": ["other"]}, "parts"),
            ({"location": "smb://nas/a"}, "location"),
            ({"location": "sftp://user:secret@nas/a"}, "location"),
            ({"location": "sftp://nas/a"}, "not_allowed"),
        ):
            body = {"parts": [], "location_type": "SFTP", "location": "sftp://nas.example.com/a"} | more
            told = client.post(f"{RECOVERY}/backup?action=validate", json=body).json()
            assert (told["status"], told["messages"][0]["id"]) == ("FAIL", f"resphere.recovery.{id}")
            reply = client.post(JOB, json=body)
            assert reply.status_code == 201
            status = finished(client, reply.json()["id"])
            assert (status["state"], status["messages"][0]["id"]) == ("FAILED", f"resphere.recovery.{id}")
        details = client.get(f"{JOB}/details").text
        assert "secret" not in details


def test_a_restored_archive_of_the_api_and_of_the_command_line_are_one(tmp_path: Path) -> None:
    """What the API has made is a file for ``resphere restore``."""
    (tmp_path / "nas").mkdir()
    password = tmp_path / "password"
    password.write_text(BACKUP_PASSWORD + "\n")
    password.chmod(0o600)
    flags = ("--backup-folder", f"nfs://nas/exports={tmp_path}/nas")
    body = {"parts": ["seat"], "location_type": "NFS", "location": "nfs://nas/exports"}
    with Server(tmp_path / "old", *flags, *SMALL) as server, server.session() as client:
        back_up(client, body | {"backup_password": BACKUP_PASSWORD})
        before = client.read("/api/vcenter/vm")
    (archive,) = (tmp_path / "nas").rglob("backup.tar.sealed")
    refused = resphere("restore", str(archive), "--data-dir", str(tmp_path / "new"))
    assert (refused.returncode, "its password is needed" in refused.stderr) == (1, True)
    done = resphere("restore", str(archive), "--data-dir", str(tmp_path / "new"), "--password-file", str(password))
    assert (done.returncode, done.stderr) == (0, "")
    with Server(tmp_path / "new") as server, server.session() as client:
        assert client.read("/api/vcenter/vm") == before


def test_by_rest(tmp_path: Path) -> None:
    """The older dialect, where each has a path of its own."""
    (tmp_path / "nas").mkdir()
    flags = ("--backup-folder", f"nfs://nas/exports={tmp_path}/nas")
    rest = "/rest/appliance/recovery"
    where = {"location": "nfs://nas/exports"}
    with Server(tmp_path / "data", *flags) as server, server.session() as client:
        assert client.read(rest) == {"value": {"supported": True}}
        piece = {"parts": [], "location_type": "NFS", **where}
        told = client.post(f"{rest}/backup/validate", json={"piece": piece}).json()
        assert told == {"value": {"status": "OK", "messages": []}}
        job = client.post(f"{rest}/backup/job", json={"piece": piece}).json()["value"]["id"]
        assert finished(client, job)["state"] == "SUCCEEDED"
        assert client.read(f"{rest}/backup/job")["value"] == [job]
        assert client.read(f"{rest}/backup/job/{job}")["value"]["progress"] == 100
        (details,) = client.read(f"{rest}/backup/job/details", params={"filter.jobs.1": job})["value"]
        assert (details["key"], details["value"]["status"]) == (job, "SUCCEEDED")
        assert client.post(f"{rest}/backup/job/{job}/cancel").json()["value"]["status"] == "FAIL"
        spec = {f"loc_spec.{name}": value for name, value in where.items()}
        (system,) = client.read(f"{rest}/backup/system-name", params=spec)["value"]
        (archive,) = client.read(f"{rest}/backup/system-name/{system}/archives", params=spec)["value"]
        path = f"{rest}/backup/system-name/{system}/archives/{archive['archive']}"
        found = client.read(path, params={f"spec.{name}": value for name, value in where.items()})["value"]
        wanted = {"location_type": "NFS", "location": found["location"]}
        metadata = client.post(f"{rest}/restore/validate", json={"piece": wanted}).json()["value"]
        assert metadata["applicable"]
        schedule = {"location": where["location"], "recurrence_info": {"hour": 3, "minute": 0}}
        reply = client.post(f"{rest}/backup/schedules/nightly", json={"spec": schedule})
        assert reply.status_code == 200, reply.text
        changed = client.put(f"{rest}/backup/schedules/update/nightly", json={"spec": {"enable": False}})
        assert changed.status_code == 200, changed.text
        assert client.read(f"{rest}/backup/schedules/nightly")["value"]["enable"] is False
        assert client.post(f"{rest}/restore/job", json={"piece": wanted}).status_code == 400
        assert client.read(f"{rest}/restore/job")["value"]["state"] == "NONE"


def test_there_is_no_room_for_a_copy(tmp_path: Path) -> None:
    """On this server's own disk: the job says so, nothing is left, and the server goes on."""
    (tmp_path / "nas").mkdir()
    flags = ("--backup-folder", f"nfs://nas/exports={tmp_path}/nas")
    body = {"parts": [], "location_type": "NFS", "location": "nfs://nas/exports"}
    data = tmp_path / "disk" / "data"
    with (
        small_file_system(tmp_path / "disk", "32m"),
        Server(data, *flags, "--vms", "300") as server,
        server.session() as client,
    ):
        filling = data.parent / "filling"
        filling.write_bytes(bytes(shutil.disk_usage(data.parent).free - 400 * 1024))
        reply = client.post(JOB, json=body)
        assert reply.status_code == 201, reply.text
        status = finished(client, reply.json()["id"])
        assert (status["state"], [each["id"] for each in status["messages"]]) == ("FAILED", ["resphere.recovery.own"])
        assert str(tmp_path) not in json.dumps(status)
        assert not staged(server)
        filling.unlink()
        back_up(client, body)
