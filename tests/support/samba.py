"""A domain controller of Active Directory: Samba's, in a process of the test's, on an address of its own.

Its ports are fixed, so that two of them on one machine need two addresses, and only root may give it some.
"""

from __future__ import annotations

import os
import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import ldap3
import pytest

from resphere.auth.ldap.settings import Directory, DirectoryKind
from resphere.certificates.files import ensure_certificates
from tests.support.server import wait_until

PATH = "/usr/sbin:/usr/bin:/sbin:/usr/local/sbin"
SAMBA, SAMBA_TOOL, IP = (shutil.which(name, path=PATH) for name in ("samba", "samba-tool", "ip"))
DOMAIN = "corp.example.com"
SHORT_DOMAIN = "CORP"
BASE = "DC=corp,DC=example,DC=com"
PEOPLE = f"OU=Staff and guests,{BASE}"
ADMINISTRATOR_PASSWORD = "Ad-ministers-2026"
PASSWORD = "A-password-of-people-7"
READER = f"reader@{DOMAIN}"
CONFIGURATION = """
[global]
realm = {realm}
workgroup = {short}
netbios name = DC
server role = active directory domain controller
server services = ldap
interfaces = {address}
bind interfaces only = yes
private dir = {folder}/private
state directory = {folder}/state
cache directory = {folder}/cache
lock directory = {folder}/lock
pid directory = {folder}
binddns dir = {folder}/bind-dns
ncalrpc dir = {folder}/ncalrpc
log file = {folder}/log.%m
vfs objects = dfs_samba4 acl_xattr xattr_tdb
xattr_tdb:file = {folder}/xattr.tdb
tls certfile = {certificate}
tls keyfile = {key}
tls cafile = {ca}
[sysvol]
path = {folder}/state/sysvol
[netlogon]
path = {folder}/state/sysvol/{domain}/scripts
"""


class DomainController:
    """A running controller: ``ldap`` and ``ldaps`` are its addresses, ``ca`` the PEM of who vouches for it."""

    def __init__(self, folder: Path, address: str) -> None:
        self.folder = folder
        self.ldap, self.ldaps = f"ldap://{address}:389", f"ldaps://{address}:636"
        self._address = address
        self._files = ensure_certificates(folder / "tls", (address,), lambda: datetime.now(UTC))
        assert self._files.ca_certificate is not None
        self.ca = self._files.ca_certificate.read_text()
        self._process: subprocess.Popen[bytes] | None = None

    def directory(self, **given: Any) -> Directory:
        """How it is asked, where nothing else is ``given``."""
        usual: dict[str, Any] = {
            "servers": (self.ldaps,),
            "users_base_dn": PEOPLE,
            "groups_base_dn": BASE,
            "type": DirectoryKind.ACTIVE_DIRECTORY,
            "ca": self.ca,
            "bind_name": READER,
            "bind_password": PASSWORD,
        }
        return Directory(**(usual | given))

    def start(self) -> None:
        """Make the domain, start, and wait until it answers."""
        configuration = self.folder / "smb.conf"
        configuration.write_text(
            CONFIGURATION.format(
                realm=DOMAIN.upper(),
                domain=DOMAIN,
                short=SHORT_DOMAIN,
                address=self._address,
                folder=self.folder,
                certificate=self._files.certificate,
                key=self._files.key,
                ca=self._files.ca_certificate,
            )
        )
        for name in ("private", "state", "cache", "lock", "bind-dns", "ncalrpc"):
            (self.folder / name).mkdir()
        command = [str(SAMBA_TOOL), "domain", "provision", "--configfile", str(configuration)]
        command += ["--realm", DOMAIN.upper(), "--domain", SHORT_DOMAIN, "--host-name", "dc", "--dns-backend", "NONE"]
        command += ["--server-role", "dc", "--adminpass", ADMINISTRATOR_PASSWORD, "--host-ip", self._address]
        made = subprocess.run(command, capture_output=True, text=True)
        assert made.returncode == 0, made.stderr
        running = [str(SAMBA), "--interactive", "--model", "single", "--configfile", str(configuration)]
        with (self.folder / "output").open("wb") as output:
            self._process = subprocess.Popen(running, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        wait_until(self._answers, "samba to answer")

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self.folder / "output").read_text()
        with suppress(OSError), socket.create_connection((self._address, 636)):
            return True
        return False

    @contextmanager
    def as_administrator(self) -> Iterator[Any]:
        """A connection that may change everything."""
        server = ldap3.Server(self.ldaps, get_info=ldap3.NONE, tls=ldap3.Tls(validate=ssl.CERT_NONE))
        connection: Any = ldap3.Connection(
            server, f"{SHORT_DOMAIN}\\Administrator", ADMINISTRATOR_PASSWORD, auto_bind=True, check_names=False
        )
        try:
            yield connection
        finally:
            connection.unbind()

    def fill(self) -> None:
        """Add people and groups: alice is in developers, those in engineering; Domain Users are in everybody."""
        with self.as_administrator() as changing:
            assert changing.add(PEOPLE, "organizationalUnit"), changing.result
            for name in ("reader", "alice", "bob"):
                self.add_person(changing, name)
            assert changing.modify(
                dn_of("alice"), {"userPrincipalName": [("MODIFY_REPLACE", [f"alice.long@{DOMAIN}"])]}
            ), changing.result
            self.add_group(changing, "developers", [dn_of("alice")])
            self.add_group(changing, "engineering (all)", [dn_of("developers"), dn_of("bob")])
            self.add_group(changing, "everybody", [f"CN=Domain Users,CN=Users,{BASE}"])

    def add_person(self, changing: Any, name: str, control: int = 0x200, **more: Any) -> None:
        """Add somebody, with flags of ``userAccountControl``."""
        values = {
            "sAMAccountName": name,
            "userPrincipalName": f"{name}@{DOMAIN}",
            "unicodePwd": f'"{PASSWORD}"'.encode("utf-16-le"),
            "userAccountControl": control,
        }
        assert changing.add(dn_of(name), "user", values | more), changing.result

    def add_group(self, changing: Any, name: str, members: list[str]) -> None:
        """Add a group."""
        assert changing.add(dn_of(name), "group", {"sAMAccountName": name, "member": members}), changing.result

    def stop(self) -> None:
        """End it, if it runs."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
            self._process = None


def dn_of(name: str) -> str:
    """The entry of a person or a group."""
    return f"CN={name},{PEOPLE}"


@contextmanager
def running_domain_controller(folder: Path) -> Iterator[DomainController]:
    """A controller with its people, for the time of several tests."""
    if SAMBA is None or SAMBA_TOOL is None or IP is None:
        pytest.skip(
            "Samba's domain controller is not installed (Debian: samba-ad-dc, samba-ad-provision, samba-dsdb-modules, "
            "winbind, iproute2)"
        )
    if os.geteuid() != 0:
        pytest.skip("only root may start a domain controller: its ports are fixed")
    # Of the process, so that others have others.
    high, low = divmod(os.getpid(), 250)
    address = f"127.{77 + high // 250}.{high % 250 + 1}.{low + 1}"
    added = subprocess.run([IP, "address", "add", f"{address}/32", "dev", "lo"], capture_output=True, text=True)
    if added.returncode != 0:
        pytest.skip(f"no address can be had for a domain controller: {added.stderr.strip()}")
    controller = DomainController(folder, address)
    try:
        controller.start()
        controller.fill()
        yield controller
    finally:
        controller.stop()
        subprocess.run([IP, "address", "delete", f"{address}/32", "dev", "lo"], check=True)
