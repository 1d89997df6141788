"""A real receiver of syslog: Debian's rsyslog, over UDP, TCP and TLS, in a process of its own."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from resphere.certificates.files import ensure_certificates
from tests.support.server import free_port, wait_until

GTLS = tuple(Path("/usr/lib").glob("*/rsyslog/lmnsd_gtls.so"))
needs_rsyslog = pytest.mark.skipif(
    shutil.which("rsyslogd") is None or not GTLS, reason="needs Debian's rsyslog and rsyslog-gnutls"
)

CONFIGURATION = """\
global(workDirectory="{folder}" maxMessageSize="128k"
  defaultNetstreamDriverCAFile="{ca}"
  defaultNetstreamDriverCertFile="{certificate}"
  defaultNetstreamDriverKeyFile="{key}")
module(load="imudp")
module(load="imtcp")
template(name="fields" type="list") {{
  property(name="pri") constant(value=" ")
  property(name="timestamp" dateFormat="rfc3339") constant(value=" ")
  property(name="hostname") constant(value=" ")
  property(name="app-name") constant(value=" ")
  property(name="msgid") constant(value=" ")
  property(name="structured-data") constant(value=" ")
  property(name="msg") constant(value="\\n")
}}
ruleset(name="{name}") {{ action(type="omfile" file="{messages}" template="fields" flushOnTXEnd="on") }}
input(type="imudp" address="127.0.0.1" port="{udp}" ruleset="{name}")
input(type="imtcp" address="127.0.0.1" port="{tcp}" ruleset="{name}")
input(type="imtcp" address="127.0.0.1" port="{tls}" ruleset="{name}"
  streamdriver.name="gtls" streamdriver.mode="1" streamdriver.authmode="anon")
"""


class Message(msgspec.Struct, frozen=True):
    """What the receiver has understood of a message."""

    priority: int
    time: datetime
    host: str
    application: str
    kind: str
    data: str
    text: str


class SyslogReceiver:
    """Where it listens, and what has come."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ports = {"udp": free_port(), "tcp": free_port(), "tls": free_port()}
        self.tls = ensure_certificates(folder / "tls", ("127.0.0.1",), lambda: datetime.now(UTC))
        self.file = folder / "messages"
        self.file.touch()

    @property
    def ca(self) -> Path:
        """What its certificate stands on."""
        assert self.tls.ca_certificate is not None
        return self.tls.ca_certificate

    def url(self, transport: str) -> str:
        """Where to send to."""
        return f"syslog+{transport}://127.0.0.1:{self.ports[transport]}"

    def messages(self, count: int) -> list[Message]:
        """All that has come, once there are so many."""

        def lines() -> list[str]:
            found = self.file.read_text().splitlines()
            return found if len(found) >= count else []

        return [parsed(line) for line in wait_until(lines, f"the coming of {count} messages")]

    def is_open(self) -> bool:
        """Whether it takes connections."""
        try:
            for transport in ("tcp", "tls"):
                socket.create_connection(("127.0.0.1", self.ports[transport]), 1).close()
        except OSError:
            return False
        return True

    @contextmanager
    def running(self) -> Iterator[None]:
        """The receiver runs while within."""
        configuration = self.folder / "rsyslog.conf"
        configuration.write_text(
            CONFIGURATION.format(
                folder=self.folder,
                name="received",
                messages=self.file,
                ca=self.ca,
                certificate=self.tls.certificate,
                key=self.tls.key,
                **self.ports,
            )
        )
        command = ["rsyslogd", "-n", "-C", "-f", str(configuration), "-i", str(self.folder / "rsyslogd.pid")]
        with (self.folder / "rsyslogd.log").open("w") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            wait_until(self.is_open, "the start of rsyslogd")
            yield
        finally:
            process.terminate()
            process.wait(timeout=60)


def parsed(line: str) -> Message:
    """A line as the template above writes it."""
    priority, time, host, application, kind, data, text = line.split(" ", 6)
    return Message(int(priority), datetime.fromisoformat(time), host, application, kind, data, text.removeprefix(" "))
