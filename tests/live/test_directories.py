"""Users of OpenLDAP's own server log in to a server, which goes on for others while the directory is down."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from resphere.auth.saml.assertion import GRANTED, Assertion, read_assertion
from resphere.auth.saml.assertion import GROUPS as GROUP_NAMES
from resphere.auth.saml.documents import parse
from tests.support.cli import resphere
from tests.support.saml import party, sign_header
from tests.support.server import ADMINISTRATOR, PASSWORD, WITHOUT_TLS, Client, Server
from tests.support.slapd import GROUPS, PEOPLE, READER, READER_PASSWORD, Slapd, dn_of, group_dn, running_slapd
from tests.support.slapd import PASSWORD as USER_PASSWORD
from tests.support.sts import Ask, element, lifetime, token_of

DIRECTORIES = "/api/vcenter/identity/directories"
PERMISSIONS = "/api/vcenter/authorization/permissions"
FILE = """
directories:
  - name: corp
    domain: corp.example.com
    alias: CORP
    servers: [{ldaps}, {ldap}]
    type: group_of_names
    ca_file: ca.pem
    users_base_dn: {people}
    groups_base_dn: {groups}
    bind_name: {reader}
    bind_password_file: reader-password
    groups: {{staff: [Administrators@vsphere.local]}}
"""


@pytest.fixture
def slapd(tmp_path: Path) -> Iterator[Slapd]:
    """A directory of the test's own, which it may stop."""
    with running_slapd(tmp_path / "slapd") as running:
        yield running


def declared(slapd: Slapd, folder: Path) -> Path:
    """The file that declares the directory."""
    file = folder / "sources.yaml"
    (folder / "ca.pem").write_text(slapd.ca)
    (folder / "reader-password").write_text(READER_PASSWORD + "\n")
    file.write_text(
        FILE.format(ldaps=slapd.ldaps, ldap=slapd.ldap, people=PEOPLE, groups=GROUPS, reader=READER), encoding="utf-8"
    )
    return file


def opens(client: Client, user: str, password: str = USER_PASSWORD) -> int:
    """The status of a login."""
    return client.post("/api/session", auth=(user, password)).status_code


def test_users_of_a_directory(slapd: Slapd, tmp_path: Path) -> None:
    flags = ("--identity-sources", str(declared(slapd, tmp_path)), "--default-domain", "corp.example.com")
    with Server(tmp_path / "data", WITHOUT_TLS, "--workers", "2", *flags) as server:
        with Client(server, None) as anonymous:
            for name in ("alice@corp.example.com", "ALICE@CORP.EXAMPLE.COM", "CORP\\alice", "alice@corp", "alice"):
                assert opens(anonymous, name) == 201, name
            refusals = {
                anonymous.post("/api/session", auth=given).text
                for given in (
                    ("alice@corp.example.com", "wrong"),
                    ("alice@corp.example.com", ""),
                    ("nobody@corp.example.com", USER_PASSWORD),
                    ("*@corp.example.com", USER_PASSWORD),
                    ("alice@vsphere.local", USER_PASSWORD),
                    ("alice@elsewhere.example.com", USER_PASSWORD),
                )
            }
            # One answer, whatever was wrong.
            assert len(refusals) == 1, refusals
        with Client(server, "alice@corp.example.com", USER_PASSWORD) as alice:
            assert alice.read("/api/session")["user"] == "alice@corp.example.com"
            assert alice.read("/api/vcenter/vm")
            slapd.stop()
            assert alice.read("/api/vcenter/vm")
        with Client(server, None) as anonymous:
            down = anonymous.post("/api/session", auth=("alice@corp.example.com", USER_PASSWORD))
            assert (down.status_code, down.json()["error_type"]) == (503, "SERVICE_UNAVAILABLE")
            assert opens(anonymous, ADMINISTRATOR, PASSWORD) == 201
        for path in server.data_dir.rglob("*"):
            content = path.read_bytes() if path.is_file() else b""
            assert READER_PASSWORD.encode() not in content, path
            assert USER_PASSWORD.encode() not in content, path


def test_the_command_line_asks_each_server(slapd: Slapd, tmp_path: Path) -> None:
    flags = ("--identity-sources", str(declared(slapd, tmp_path)))
    data = ("--data-dir", str(tmp_path / "data"))
    with Server(tmp_path / "data", WITHOUT_TLS, *flags):
        listed = resphere("identity", "list", *data)
        assert listed.stdout == (
            f"corp\tgroup_of_names\tcorp.example.com corp\t{slapd.ldaps} {slapd.ldap}\tdeclared\n"
        ), listed.stderr
        plain = resphere("identity", "check", "corp", *data)
        assert plain.returncode == 0, plain.stderr
        assert plain.stdout == "".join(f"{each}: answers, and takes {READER}\n" for each in (slapd.ldaps, slapd.ldap))
        alice = resphere("identity", "check", "corp", "--user", "alice", *data)
        assert f"{slapd.ldaps}: alice@corp.example.com is cn=alice,{PEOPLE}".lower() in alice.stdout.lower()
        assert f"{slapd.ldaps}:   in Administrators@vsphere.local\n" in alice.stdout
        nobody = resphere("identity", "check", "corp", "--user", "nobody", *data)
        assert (nobody.returncode, nobody.stdout.splitlines()[0]) == (1, f"{slapd.ldaps}: knows no user nobody")
        wrong = resphere("identity", "check", "crop", *data)
        assert (wrong.returncode, wrong.stderr) == (
            1,
            "resphere: there is no identity source crop; did you mean corp?\n",
        )
        slapd.stop()
        down = resphere("identity", "check", "corp", *data)
        assert down.returncode == 1
        assert down.stdout.count("Connection refused") == 2


def test_permissions_of_those_whom_the_directory_knows(slapd: Slapd, tmp_path: Path) -> None:
    flags = ("--identity-sources", str(declared(slapd, tmp_path)))
    with Server(tmp_path / "data", WITHOUT_TLS, *flags) as server, server.session() as client:

        def gives(kind: str, name: str) -> tuple[int, str]:
            """The status of a global permission by the API, and the id of what it says."""
            reply = client.post(
                PERMISSIONS,
                json={
                    "object": {"type": "Global", "id": ""},
                    "principal": {"type": kind, "name": name, "domain": "CORP"},
                    "role": "-2",
                    "propagating": True,
                },
            )
            return reply.status_code, "" if reply.status_code == 201 else reply.json()["messages"][0]["id"]

        def commands(*arguments: str) -> str:
            """What the command says of the same."""
            return resphere("permission", "add", "global", *arguments, "--data-dir", str(server.data_dir)).stderr

        assert gives("USER", "carol") == (201, "")
        assert gives("GROUP", "staff") == (201, "")
        assert gives("USER", "nobody") == (400, "resphere.authorization.no_user")
        assert gives("GROUP", "carol") == (400, "resphere.authorization.no_group")
        assert commands("CORP\\bob", "ReadOnly") == ""
        principals = [{"type": "USER", "name": name, "domain": "corp"} for name in ("bob", "carol")]
        found = client.post(f"{PERMISSIONS}?action=list", json={"filter": {"principals": principals}})
        assert [each["permission"] for each in found.json()["items"]] == [
            f"global:user:{name}@corp.example.com" for name in ("bob", "carol")
        ]
        assert "There is no user nobody@corp.example.com." in commands("nobody@corp.example.com", "ReadOnly")
        with Client(server, "carol@corp.example.com", USER_PASSWORD) as carol:
            assert carol.read("/api/vcenter/vm")
        slapd.stop()
        assert gives("USER", "alice") == (503, "resphere.authentication.source_unavailable")
        assert "cannot be asked now" in commands("alice@corp.example.com", "ReadOnly")


def spec_of(slapd: Slapd, **given: Any) -> dict[str, Any]:
    usual = {
        "domain": "corp.example.com",
        "type": "GROUP_OF_NAMES",
        "servers": [slapd.ldaps],
        "ca": slapd.ca,
        "users_base_dn": PEOPLE,
        "groups_base_dn": GROUPS,
        "bind_name": READER,
        "bind_password": READER_PASSWORD,
    }
    return {name: value for name, value in (usual | given).items() if value is not None}


def test_directories_come_and_go_by_the_api(slapd: Slapd, tmp_path: Path) -> None:
    with Server(tmp_path / "data", WITHOUT_TLS) as server, server.session() as client:
        assert client.read(DIRECTORIES) == []
        assert client.put(f"{DIRECTORIES}/corp", json=spec_of(slapd)).status_code == 204
        info = client.read(f"{DIRECTORIES}/corp")
        assert (info["domain"], info["declared"], "bind_password" in info) == ("corp.example.com", False, False)
        taken = client.put(f"{DIRECTORIES}/other", json=spec_of(slapd))
        assert (taken.status_code, taken.json()["error_type"]) == (400, "ALREADY_EXISTS")
        # The password stays with the servers that it was given for.
        assert client.put(f"{DIRECTORIES}/corp", json=spec_of(slapd, bind_password=None)).status_code == 204
        stolen = client.put(
            f"{DIRECTORIES}/corp", json=spec_of(slapd, bind_password=None, servers=["ldaps://192.0.2.1"])
        )
        assert (stolen.status_code, stolen.json()["error_type"]) == (400, "INVALID_ARGUMENT")
        with Client(server, "bob@corp.example.com", USER_PASSWORD) as bob:
            assert bob.get("/api/session").status_code == 200
            assert bob.get(DIRECTORIES).status_code == 403
            assert client.delete(f"{DIRECTORIES}/corp").status_code == 204
            assert bob.get("/api/session").status_code == 401
        assert client.delete(f"{DIRECTORIES}/corp").status_code == 404
        with Client(server, None) as anonymous:
            assert opens(anonymous, "bob@corp.example.com") == 401


@pytest.mark.parametrize(
    "given",
    [
        {"domain": "vsphere.local"},
        {"domain": "not a domain"},
        {"domain": ""},
        {"alias": "corp.example.com"},
        {"servers": []},
        {"servers": ["https://dc.example.com"]},
        {"servers": ["ldaps://user:secret@dc.example.com"]},
        {"users_base_dn": "people"},
        {"ca": "no certificate"},
        {"bind_password": ""},
        {"bind_name": None},
        {"bind_name": None, "bind_password": None, "bind_as": "cn=user"},
        {"name_attribute": "uid)(x=*"},
        {"member_attribute": ""},
    ],
)
def test_what_is_no_directory(shared_server: Server, given: dict[str, Any]) -> None:
    usual = {
        "domain": "corp.example.com",
        "servers": ["ldaps://dc.example.com"],
        "users_base_dn": "dc=example,dc=com",
        "groups_base_dn": "dc=example,dc=com",
        "bind_name": "reader",
        "bind_password": "secret",
    }
    spec = {name: value for name, value in (usual | given).items() if value is not None}
    with shared_server.session() as client:
        refused = client.put(f"{DIRECTORIES}/corp", json=spec)
        assert (refused.status_code, refused.json()["error_type"]) == (400, "INVALID_ARGUMENT")
        assert client.read(DIRECTORIES) == []


class Sts:
    """What the STS says to users of the directory."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def ask(self, **fields: Any) -> str:
        """The answer to a message."""
        with Client(self._server, None) as client:
            message = Ask(moment=datetime.now(UTC), **fields)
            return client.post("/sts/STSService", data=message.text.encode()).text

    def issued(self, **fields: Any) -> tuple[str, Assertion]:
        """A token, and what it says."""
        token = token_of(self.ask(**fields))
        return token, read_assertion(parse(token))

    def fault(self, **fields: Any) -> str:
        """The code of a refusal."""
        found = re.search(r"<faultcode [^>]*>code:(\w+)<", self.ask(**fields))
        assert found is not None
        return found[1]

    def renewal(self, token: str) -> dict[str, Any]:
        """A message of the token's holder, who wants another day."""
        now = datetime.now(UTC)
        content = element("RenewTarget", token) + lifetime(now, now + timedelta(days=1))
        return {"kind": "Renew", "content": content, "signer": party("alice")}


def test_users_of_a_directory_get_tokens_of_the_sts(slapd: Slapd, tmp_path: Path) -> None:
    with Server(tmp_path / "data", WITHOUT_TLS, "--identity-sources", str(declared(slapd, tmp_path))) as server:
        sts = Sts(server)
        for name in ("alice@corp.example.com", "CORP\\alice", "ALICE@corp.example.com"):
            token, found = sts.issued(user=name, password=USER_PASSWORD)
            assert found.name == "alice@corp.example.com"
            assert {"corp.example.com\\developers", "corp\\staff"} <= set(found.values(GROUP_NAMES))
            assert "PasswordProtectedTransport" in token
            with Client(server, None) as client:
                opened = client.post("/api/session", headers={"Authorization": sign_header(token)})
                assert opened.status_code == 201, opened.text
                session = {"vmware-api-session-id": opened.json()}
                assert client.read("/api/session", headers=session)["user"] == "alice@corp.example.com"
                # By the group of this vCenter that stands for one of the directory's.
                assert client.read("/api/vcenter/vm", headers=session)
        answers = {
            re.sub(r"<wsu:Timestamp.*</wsu:Timestamp>", "", sts.ask(user=user, password=password))
            for user, password in (
                ("alice@corp.example.com", "wrong"),
                ("alice@corp.example.com", ""),
                ("nobody@corp.example.com", USER_PASSWORD),
                ("*@corp.example.com", USER_PASSWORD),
            )
        }
        assert len(answers) == 1
        assert "FailedAuthentication" in answers.pop()
        kept, _ = sts.issued(user="alice@corp.example.com", password=USER_PASSWORD)
        slapd.stop()
        assert sts.fault(user="alice@corp.example.com", password=USER_PASSWORD) == "RequestFailed"
        # A token that was issued is good without the directory.
        with Client(server, None) as client:
            assert client.post("/api/session", headers={"Authorization": sign_header(kept)}).status_code == 201


def test_a_token_is_renewed_with_what_the_directory_says_then(slapd: Slapd, tmp_path: Path) -> None:
    with Server(tmp_path / "data", WITHOUT_TLS, "--identity-sources", str(declared(slapd, tmp_path))) as server:
        sts = Sts(server)
        alice = {"user": "alice@corp.example.com", "password": USER_PASSWORD, "signer": party("alice")}
        token, first = sts.issued(**alice, content='<wst:Renewing Allow="true"/>')
        assert "corp.example.com\\staff" in first.values(GROUP_NAMES)
        with slapd.as_root() as root:
            assert root.modify(group_dn("engineering"), {"member": [("MODIFY_REPLACE", [dn_of("bob")])]}), root.result
        token, second = sts.issued(**sts.renewal(token))
        assert "corp.example.com\\developers" in second.values(GROUP_NAMES)
        assert "corp.example.com\\staff" not in second.values(GROUP_NAMES)
        assert second.values(GRANTED) == ()
        with slapd.as_root() as root:
            assert root.delete(dn_of("alice")), root.result
        assert sts.fault(**sts.renewal(token)) == "UnableToRenew"
        slapd.stop()
        assert sts.fault(**sts.renewal(token)) == "RequestFailed"
