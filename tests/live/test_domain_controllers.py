"""Users of an Active Directory domain log in to a server, and may do what was given to groups that hold theirs."""

from __future__ import annotations

from pathlib import Path

from tests.support.cli import resphere
from tests.support.samba import BASE, DOMAIN, PASSWORD, PEOPLE, READER, SHORT_DOMAIN, running_domain_controller
from tests.support.server import WITHOUT_TLS, Client, Server

FILE = """
directories:
  - name: corp
    domain: {domain}
    alias: {short}
    servers: [{ldaps}]
    ca_file: ca.pem
    users_base_dn: {people}
    groups_base_dn: {base}
    bind_name: {reader}
    bind_password_file: reader-password
"""


def test_a_user_of_a_domain(tmp_path: Path) -> None:
    with running_domain_controller(tmp_path / "domain") as controller:
        (tmp_path / "ca.pem").write_text(controller.ca)
        (tmp_path / "reader-password").write_text(PASSWORD)
        file = tmp_path / "sources.yaml"
        file.write_text(
            FILE.format(
                domain=DOMAIN, short=SHORT_DOMAIN, ldaps=controller.ldaps, people=PEOPLE, base=BASE, reader=READER
            )
        )
        with Server(tmp_path / "data", WITHOUT_TLS, "--identity-sources", str(file)) as server:
            data = ("--data-dir", str(server.data_dir))
            group = f"{SHORT_DOMAIN}\\engineering (all)"
            given = resphere("permission", "add", "/", group, "ReadOnly", "--group", *data)
            assert given.returncode == 0, given.stderr
            for name in (f"alice@{DOMAIN}", f"{SHORT_DOMAIN}\\alice", f"alice.long@{DOMAIN}"):
                with Client(server, name, PASSWORD) as alice:
                    assert alice.read("/api/session")["user"] == f"alice@{DOMAIN}"
                    assert alice.read("/api/vcenter/vm")
            with Client(server, f"reader@{DOMAIN}", PASSWORD) as reader:
                assert reader.read("/api/vcenter/vm") == []
            told = resphere("identity", "check", "corp", "--user", "alice", *data)
            assert f"in engineering (all)@{DOMAIN}" in told.stdout, told.stdout + told.stderr
