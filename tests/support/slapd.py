"""OpenLDAP's own server, in a process of the test's, with a directory of a few people."""

from __future__ import annotations

import shutil
import socket
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
from tests.support.server import free_port, wait_until

BASE = "dc=example,dc=com"
PEOPLE = f"ou=people,{BASE}"
GROUPS = f"ou=groups,{BASE}"
READER = f"cn=reader,{BASE}"
READER_PASSWORD = "reads what there is"
PASSWORD = "a password of people"
ODD = "o'brien (jr) * \\ , = ü"
"""A user whose name is full of what is syntax in filters and distinguished names."""

SLAPD = shutil.which("slapd", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/libexec")
CONFIGURATION = """
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/nis.schema
include /etc/ldap/schema/inetorgperson.schema
include {folder}/active-directory.schema
pidfile {folder}/slapd.pid
modulepath /usr/lib/ldap
moduleload back_mdb
TLSCACertificateFile {ca}
TLSCertificateFile {certificate}
TLSCertificateKeyFile {key}
sizelimit 5000
allow bind_anon_cred
database mdb
suffix "{base}"
rootdn "cn=root,{base}"
rootpw root
directory {folder}/data
index uid,cn,member,memberUid eq
access to attrs=userPassword by anonymous auth by * none
access to * by users read by * none
"""

ACTIVE_DIRECTORY = """
attributetype ( 1.2.840.113556.1.4.146 NAME 'objectSid' EQUALITY octetStringMatch
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.40 SINGLE-VALUE )
attributetype ( 1.2.840.113556.1.4.98 NAME 'primaryGroupID' EQUALITY integerMatch
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE )
attributetype ( 1.2.840.113556.1.4.221 NAME 'sAMAccountName' EQUALITY caseIgnoreMatch
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )
attributetype ( 1.2.840.113556.1.4.656 NAME 'userPrincipalName' EQUALITY caseIgnoreMatch
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )
objectclass ( 1.2.840.113556.1.5.9 NAME 'user' AUXILIARY
  MAY ( objectSid $ primaryGroupID $ sAMAccountName $ userPrincipalName ) )
objectclass ( 1.2.840.113556.1.3.30 NAME 'computer' SUP user AUXILIARY )
objectclass ( 1.2.840.113556.1.5.8 NAME 'group' AUXILIARY MAY ( objectSid $ sAMAccountName ) )
"""
"""What is asked of Active Directory, but for its rule of members in chains, which OpenLDAP does not know."""


class Slapd:
    """A running server: ``ldap`` and ``ldaps`` are its addresses, ``ca`` the PEM of who vouches for it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ldap = f"ldap://127.0.0.1:{free_port()}"
        port = free_port()
        self.ldaps = f"ldaps://127.0.0.1:{port}"
        self.other_name = f"ldaps://127.0.0.2:{port}"
        """An address that the certificate does not hold."""
        self._files = ensure_certificates(folder / "tls", ("127.0.0.1",), lambda: datetime.now(UTC))
        assert self._files.ca_certificate is not None
        self.ca = self._files.ca_certificate.read_text()
        self._process: subprocess.Popen[bytes] | None = None

    def directory(self, **given: Any) -> Directory:
        """How it is asked, where nothing else is ``given``."""
        usual: dict[str, Any] = {
            "servers": (self.ldaps,),
            "users_base_dn": PEOPLE,
            "groups_base_dn": GROUPS,
            "type": DirectoryKind.GROUP_OF_NAMES,
            "ca": self.ca,
            "bind_name": READER,
            "bind_password": READER_PASSWORD,
        }
        return Directory(**(usual | given))

    def start(self) -> None:
        """Start, and wait until it answers."""
        (self.folder / "active-directory.schema").write_text(ACTIVE_DIRECTORY)
        configuration = self.folder / "slapd.conf"
        configuration.write_text(
            CONFIGURATION.format(
                folder=self.folder,
                base=BASE,
                ca=self._files.ca_certificate,
                certificate=self._files.certificate,
                key=self._files.key,
            )
        )
        (self.folder / "data").mkdir(exist_ok=True)
        command = [str(SLAPD), "-f", str(configuration), "-h", f"{self.ldap} {self.ldaps} {self.other_name}", "-d", "0"]
        self._process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        wait_until(self._answers, "slapd to answer")

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, "slapd ended"
        host, _, port = self.ldap.removeprefix("ldap://").rpartition(":")
        with suppress(OSError), socket.create_connection((host, int(port))):
            return True
        return False

    @contextmanager
    def as_root(self) -> Iterator[Any]:
        """A connection that may change everything."""
        connection: Any = ldap3.Connection(
            ldap3.Server(self.ldap, get_info=ldap3.NONE), f"cn=root,{BASE}", "root", auto_bind=True, check_names=False
        )
        try:
            yield connection
        finally:
            connection.unbind()

    def fill(self) -> None:
        """Add the people and their groups."""
        with self.as_root() as root:
            root.add(BASE, ["dcObject", "organization"], {"o": "Example"})
            root.add(PEOPLE, "organizationalUnit")
            root.add(GROUPS, "organizationalUnit")
            root.add(READER, ["organizationalRole", "simpleSecurityObject"], {"userPassword": READER_PASSWORD})
            for uid in ("alice", "bob", "carol", ODD):
                self.add_person(root, uid)
            # A group needs a member. These lead up to staff, and from there back to where they began.
            self.add_group(root, "developers", [dn_of("alice"), group_dn("staff")])
            self.add_group(root, "engineering", [group_dn("developers")])
            self.add_group(root, "staff", [group_dn("engineering"), dn_of("bob")])
            self.add_group(root, "Administrators@vsphere.local", [dn_of("alice")])
            unix = {"gidNumber": 7, "memberUid": ["alice", "carol"]}
            assert root.add(f"cn=unix,{GROUPS}", "posixGroup", unix), root.result

    def add_person(self, root: Any, uid: str, dn: str | None = None) -> None:
        """Add somebody."""
        values = {"uid": uid, "cn": uid, "sn": uid, "userPassword": PASSWORD}
        assert root.add(dn or dn_of(uid), "inetOrgPerson", values), root.result

    def add_group(self, root: Any, name: str, members: list[str]) -> None:
        """Add a group."""
        assert root.add(group_dn(name), "groupOfNames", {"member": members}), root.result

    def stop(self) -> None:
        """End it, if it runs."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
            self._process = None


def dn_of(uid: str) -> str:
    """The entry of a person."""
    return f"cn={''.join(f'{chr(92)}{byte:02x}' for byte in uid.encode())},{PEOPLE}"


def group_dn(name: str) -> str:
    """The entry of a group."""
    return f"cn={name},{GROUPS}"


@contextmanager
def running_slapd(folder: Path) -> Iterator[Slapd]:
    """A server with its people, for the time of a test or of several."""
    if SLAPD is None:
        pytest.skip("OpenLDAP's server is not installed (Debian: slapd)")
    folder.mkdir(parents=True, exist_ok=True)
    slapd = Slapd(folder)
    try:
        slapd.start()
        slapd.fill()
        yield slapd
    finally:
        slapd.stop()
