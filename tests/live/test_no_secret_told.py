"""Every secret that a server is given has a text of its own here; it is looked for in all that is written and answered.

The ways in: each dialect and the command line, what succeeds and what is refused.
"""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import msgspec
import pytest
import requests

from tests.live.test_secrets_at_rest import SPECS
from tests.support.certificates import PATH, Foreign
from tests.support.cli import resphere
from tests.support.customizations import windows
from tests.support.jsonrpc import SECURITY, invocation
from tests.support.server import ADMINISTRATOR, PASSWORD, Client, Server, wait_until

KEY = "c0ffee" * 10 + "beef"
KEPT = "marker of a kept passphrase"
REFUSED = "marker of a refused passphrase"
TRIED = "marker-of-a-tried-password"
NEW = "Marker-of-an-account-1!"
GUEST = "marker-of-a-guest"
HOST = "marker-of-a-host"
CONSOLE = "/ticket/"
BEARER = "marker-of-a-bearer-token"
TICKET = "marker-of-a-ticket"
ROOT = "marker of the root of an appliance"
SESSION = "marker0of0a0session00000000000000"


class Answers:
    """What came back, but for what a caller asked for who may have it."""

    def __init__(self) -> None:
        self.texts: list[tuple[str, bytes]] = []

    def note(self, what: str, reply: requests.Response) -> requests.Response:
        headers = "\n".join(f"{name}: {value}" for name, value in reply.headers.items())
        self.texts.append((what, headers.encode() + b"\n" + reply.content))
        return reply


def forms(text: str) -> set[bytes]:
    """A text as it may be written."""
    plain = text.encode()
    return {
        plain,
        msgspec.json.encode(text)[1:-1],
        quote(text).encode(),
        quote(text, safe="").encode(),
        plain.hex().encode(),
    }


def found(secrets: Iterable[str], texts: Iterable[tuple[str, bytes]]) -> set[tuple[str, str]]:
    """Which secret stands where."""
    wanted = [(secret, form) for secret in secrets for form in forms(secret)]
    return {(secret, where) for where, content in texts for secret, form in wanted if form in content}


def files(folder: Path) -> list[tuple[str, bytes]]:
    return [(str(path.relative_to(folder)), path.read_bytes()) for path in folder.rglob("*") if path.is_file()]


def members(archive: Path) -> list[tuple[str, bytes]]:
    with tarfile.open(fileobj=io.BytesIO(archive.read_bytes())) as opened:
        return [
            (member.name, content.read()) for member in opened if (content := opened.extractfile(member)) is not None
        ]


def support_bundle(client: Client) -> bytes:
    """Everything that a support bundle can have, as it is given out."""
    spec = {"description": "", "content_type": "ALL"}
    reply = client.post("/api/appliance/support-bundle?vmw-task=true", json=spec)
    assert reply.status_code == 202, reply.text
    task = wait_until(lambda: finished(client, reply.json()), "the end of the making of a support bundle", 120)
    assert task["status"] == "SUCCEEDED", task
    url = urlsplit(task["result"]["url"])
    archive = client.get(url.path)
    assert archive.status_code == 200, archive.text
    assert hashlib.sha256(archive.content).hexdigest() == task["result"]["checksum_value"]
    return archive.content


def finished(client: Client, task: str) -> dict[str, Any]:
    """The task, once it has ended; nothing before."""
    found: dict[str, Any] = client.read(f"/api/cis/tasks/{task}")
    return found if found["status"] in ("SUCCEEDED", "FAILED") else {}


def test_no_secret_is_told(tmp_path: Path) -> None:
    answers = Answers()
    server = Server(
        tmp_path / "data", "--vms", "5", environment={"RESPHERE_SECRETS_KEY": KEY, "RESPHERE_ROOT_PASSWORD": ROOT}
    )
    certificate, key = Foreign().issue("127.0.0.1")
    foreign_key = key.splitlines()[1]
    server.start()
    client = server.session()
    session = client.token
    rpc, rest = f"{server.url}/api", f"{server.url}/rest/com/vmware/cis/session"

    def post(what: str, path: str, **options: object) -> requests.Response:
        return answers.note(what, client.post(path, **options))

    # What is kept, and what is refused beside it, with the secret in a field that is good or not.
    spec = msgspec.to_builtins(windows(KEPT))
    assert post("kept", SPECS, json={"name": "win", "description": "", "spec": spec}).status_code == 201
    refused = msgspec.to_builtins(windows(REFUSED))
    for what, body in (
        ("again", {"name": "win", "description": "", "spec": refused}),
        ("not a name", {"name": 7, "description": "", "spec": refused}),
        ("a field too much", {"name": "x", "description": "", "spec": refused, "password": REFUSED}),
        (
            "a secret in place of another type",
            {"name": "x", "description": "", "spec": {"configuration_spec": REFUSED}},
        ),
    ):
        assert post(what, SPECS, json=body).status_code == 400
    post("no JSON", SPECS, data=f'{{"password": "{REFUSED}"', headers={"Content-Type": "application/json"})
    vm = client.read("/api/vcenter/vm")[0]["vm"]
    guest = {"interactive_session": False, "type": "USERNAME_PASSWORD", "user_name": "root", "password": GUEST}
    post(
        "guest",
        f"/api/vcenter/vm/{vm}/guest/processes?action=create",
        json={"credentials": guest, "spec": {"path": "/x"}},
    )
    post(
        "guest, refused",
        f"/api/vcenter/vm/{vm}/guest/processes?action=create",
        json={"credentials": guest | {"type": 7}},
    )
    folder = client.read("/api/vcenter/folder?type=HOST")[0]["folder"]
    host = {"hostname": "h", "user_name": "root", "password": HOST, "folder": folder, "thumbprint_verification": "NONE"}
    post("host", "/api/vcenter/host", json=host)
    post("host, refused", "/api/vcenter/host", json=host | {"thumbprint_verification": 7})
    # Certificates' keys.
    for what, body in (("key", {"cert": certificate, "key": key}), ("key of none", {"cert": "none", "key": key})):
        assert answers.note(what, client.put(f"{PATH}/tls", json=body)).status_code == 400
    # Logins that fail, in each dialect, and those who show what is none.
    verify = server.verify
    wrong = (ADMINISTRATOR, TRIED)
    logins: list[tuple[str, str, dict[str, object]]] = [
        ("login", f"{server.url}/api/session", {"auth": wrong}),
        ("login of rest", rest, {"auth": wrong}),
        ("bearer", f"{server.url}/api/session", {"headers": {"Authorization": f"Bearer {BEARER}"}}),
        ("session", f"{server.url}/api/session", {"headers": {"vmware-api-session-id": SESSION}}),
        ("cookie", f"{server.url}/api/session", {"headers": {"Cookie": f"vmware-api-session-id={SESSION}"}}),
    ]
    for user_pass in ({"userName": ADMINISTRATOR, "password": TRIED}, {"userName": "nobody@x", "password": TRIED}):
        context = {"schemeId": SECURITY + "user_pass", **user_pass}
        logins.append(
            ("login of JSON-RPC", rpc, {"json": invocation("com.vmware.cis.session", "create", security=context)})
        )
    for what, url, options in logins:
        reply = requests.post(url, verify=verify, timeout=60, **options)  # type: ignore[arg-type]
        answers.note(what, reply)
    # Tickets in addresses.
    for method in ("GET", "POST", "PUT", "DELETE"):
        answers.note(f"ticket {method}", client.request(method, CONSOLE + TICKET))
        answers.note(f"token {method}", client.request(method, f"/guestFile?id=1&token={TICKET}"))
        answers.note(f"query {method}", client.request(method, f"/api/vcenter/vm?password={REFUSED}"))
    # The command line.
    data = str(server.data_dir)
    said = []
    for arguments, text in (
        (["user", "add", "marked@vsphere.local", "--data-dir", data], NEW),
        (["user", "add", "bad name@", "--data-dir", data], TRIED),
    ):
        done = resphere(*arguments, input=text + "\n", RESPHERE_SECRETS_KEY=KEY)
        said.append((" ".join(arguments[:2]), (done.stdout + done.stderr).encode()))
    archive = tmp_path / "backup.tar"
    done = resphere("backup", str(archive), "--data-dir", data, RESPHERE_SECRETS_KEY=KEY)
    assert done.returncode == 0, done.stderr
    exported = resphere("inventory", "export", "--data-dir", data, RESPHERE_SECRETS_KEY=KEY)
    assert exported.returncode == 0, exported.stderr
    said.append(("export", (exported.stdout + exported.stderr).encode()))
    bundle = tmp_path / "bundle.tgz"
    bundle.write_bytes(support_bundle(client))
    client.close()
    server.stop()
    secrets = [
        KEY,
        KEPT,
        REFUSED,
        TRIED,
        NEW,
        GUEST,
        HOST,
        BEARER,
        TICKET,
        SESSION,
        PASSWORD,
        ROOT,
        session,
        foreign_key,
    ]
    # That a secret would be found at all.
    assert found([KEPT], [("here", f'{{"x": "{KEPT}"}}'.encode())])
    assert len(answers.texts) > 20
    written = [
        *files(server.data_dir),
        ("stderr", server.stderr.read_bytes()),
        *members(archive),
        *members(bundle),
        *said,
    ]
    assert any(name.endswith("audit.log") for name, _ in written)
    assert found(secrets, written) == set()
    # What was told in a field of another type is shown there, to whom has written it: not of secrets.
    assert found([*secrets], answers.texts) == set()


@pytest.mark.parametrize("passwords", [False, True])
def test_an_export_has_passwords_only_where_they_are_asked_for(tmp_path: Path, passwords: bool) -> None:
    server = Server(tmp_path / "data", "--vms", "5")
    with server, server.session() as client:
        spec = msgspec.to_builtins(windows(KEPT))
        assert client.post(SPECS, json={"name": "win", "description": "", "spec": spec}).status_code == 201
        flags = ["--passwords"] if passwords else []
        done = resphere("inventory", "export", str(tmp_path / "out.yaml"), *flags, "--data-dir", str(server.data_dir))
        assert done.returncode == 0, done.stderr
    assert (KEPT in (tmp_path / "out.yaml").read_text()) is passwords
