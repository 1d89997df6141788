"""``resphere audit`` shows, verifies and hands on what is in the log."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from resphere.audit.formats import json_object
from resphere.audit.record import Decision
from resphere.audit.signing import PUBLIC_KEYS
from resphere.cli.main import main
from tests.audit.records import LIST_VMS, record
from tests.audit.trails import Logs
from tests.support.receivers import SyslogReceiver, needs_rsyslog
from tests.support.server import clean_environment, wait_until

TRIED = record(
    request_id="tried",
    path="/api/session",
    method="POST",
    status=401,
    user=None,
    tried_user="mallory|=\\\n",
    authentication="password",
    operation="com.vmware.cis.session.create",
    decision=Decision.UNAUTHENTICATED,
    error_type="UNAUTHENTICATED",
)
DENIED = record(
    request_id="denied",
    status=403,
    operation="com.vmware.vcenter.vm.power.start",
    target="vm-1",
    decision=Decision.UNAUTHORIZED,
    privilege="VirtualMachine.Interact.PowerOn",
    error_type="UNAUTHORIZED",
)


@contextmanager
def running(
    command: list[str], stdout: int | None = None, stderr: int | None = None
) -> Iterator[subprocess.Popen[str]]:
    """The command runs while within, however that is left."""
    with subprocess.Popen(command, env=clean_environment(), stdout=stdout, stderr=stderr, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.fixture
def logs(tmp_path: Path) -> Logs:
    """A log of three records and two anchors."""
    logs = Logs(tmp_path)
    logs.clock.now = LIST_VMS.start_time
    trail = logs.trail()
    for number, each in enumerate((LIST_VMS, TRIED, DENIED)):
        start = LIST_VMS.start_time + timedelta(minutes=number)
        logs.clock.now = start
        assert trail.write(json_object(record(**{**fields(each), "start_time": start})))
    trail.close()
    return logs


def fields(of: object) -> dict[str, object]:
    return {name: getattr(of, name) for name in LIST_VMS.__struct_fields__}


def shown(capsys: pytest.CaptureFixture[str], logs: Logs, *arguments: str) -> list[str]:
    """What a command that must succeed prints."""
    assert main(["audit", arguments[0], "--data-dir", str(logs.folder.parent), *arguments[1:]]) == 0
    return capsys.readouterr().out.splitlines()


def test_list_shows_records_for_people(logs: Logs, capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(capsys, logs, "list") == [
        "2026-11-23T11:15:19.123Z 200 192.0.2.7 administrator@vsphere.local com.vmware.vcenter.VM.list",
        r"2026-11-23T11:16:19.123Z 401 192.0.2.7 mallory|=\\x0a (in vain) com.vmware.cis.session.create"
        " UNAUTHENTICATED",
        "2026-11-23T11:17:19.123Z 403 192.0.2.7 administrator@vsphere.local com.vmware.vcenter.vm.power.start vm-1"
        " UNAUTHORIZED VirtualMachine.Interact.PowerOn",
    ]


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (["--limit", "1"], ["denied"]),
        (["--status", "401", "--status", "200"], ["0f8c2c1e", "tried"]),
        (["--decision", "UNAUTHORIZED"], ["denied"]),
        (["--operation", "com.vmware.cis.session"], ["tried"]),
        (["--user", "Administrator@vsphere.local"], ["0f8c2c1e", "denied"]),
        (["--target", "vm-1"], ["denied"]),
        (["--client", "192.0.2.8"], []),
        (["--request-id", "tried"], ["tried"]),
        (["--since", "2026-11-23T11:16:00Z", "--until", "2026-11-23T11:17:00Z"], ["tried"]),
        (["--until", "2026-11-23T11:16"], ["0f8c2c1e"]),
    ],
)
def test_filters(logs: Logs, capsys: pytest.CaptureFixture[str], arguments: list[str], found: list[str]) -> None:
    lines = shown(capsys, logs, "list", "--format", "json", *arguments)
    assert [json.loads(line)["request_id"] for line in lines] == found


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["list", "--since", "yesterday"], "'yesterday' is no time such as 2026-01-31T12:00:00Z, nor 30m, 12h, 7d"),
        (["list", "--since", "999999d"], "is no time"),
        (["list", "--limit", "0"], "'0' is no number from 1"),
        (["list", "--decision", "PERHAPS"], "--decision"),
        (["list", "--format", "xml"], "--format"),
        (["export", "--stat", "x"], "--stat"),
    ],
)
def test_what_is_called_wrongly(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["audit", *arguments])
    assert ended.value.code == 2
    assert words in capsys.readouterr().err


@pytest.mark.parametrize(
    "url", ["host:514", "syslog://host", "syslog+tls://", "syslog+tls://host:0", "syslog+tls://host:99999", "http://x"]
)
def test_a_receiver_that_is_none(logs: Logs, capsys: pytest.CaptureFixture[str], url: str) -> None:
    assert main(["audit", "export", "--data-dir", str(logs.folder.parent), "--to", url]) == 1
    assert "must be like syslog+tls://host:6514" in capsys.readouterr().err


def test_no_log(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", "list", "--data-dir", str(tmp_path)]) == 1
    assert "there is no log directory" in capsys.readouterr().err


def test_export_is_the_log_itself(logs: Logs, capsys: pytest.CaptureFixture[str]) -> None:
    lines = shown(capsys, logs, "export")
    assert lines == logs.path.read_text().splitlines()
    assert len(lines) == 5
    assert len(shown(capsys, logs, "export", "--status", "200")) == 1


def test_export_as_cef(logs: Logs, capsys: pytest.CaptureFixture[str]) -> None:
    start, first, tried, denied, stop = shown(capsys, logs, "export", "--format", "cef")
    assert re.match(r"CEF:0\|resphere\|resphere\|[^|]+\|anchor\.start\|Anchor of the audit log\|3\|rt=\d+ ", start)
    assert "|anchor.stop|" in stop
    assert re.match(r"CEF:0\|resphere\|resphere\|[^|]+\|(com.vmware.vcenter.VM.list)\|\1\|3\|rt=\d+ ", first)
    assert " src=192.0.2.7 suser=administrator@vsphere.local request=/api/vcenter/vm requestMethod=GET " in first
    assert " outcome=success externalId=0f8c2c1e out=2988 " in first
    assert "|8|" in tried
    assert r" suser=mallory|\=\\\\x0a " in tried
    assert " act=UNAUTHENTICATED outcome=failure " in tried
    assert " cs1=vm-1 cs1Label=target cs2=VirtualMachine.Interact.PowerOn cs2Label=privilege " in denied
    assert " cn1=403 cn1Label=status cn2=4 cn2Label=sequence cn3=1 cn3Label=chain " in denied


def test_verify_says_how_much_is_right(logs: Logs, capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(capsys, logs, "verify") == [
        "5 lines in 1 files of 1 chains, 2 anchors; 0 lines after the last anchors are not signed yet"
    ]


def test_verify_names_the_first_bad_line(logs: Logs, capsys: pytest.CaptureFixture[str]) -> None:
    logs.path.write_bytes(logs.path.read_bytes().replace(b"vm-1", b"vm-2"))
    assert main(["audit", "verify", "--data-dir", str(logs.folder.parent)]) == 1
    assert capsys.readouterr().out.splitlines()[0] == (
        "WRONG audit.log:4: was changed, or does not follow on the line before it"
    )


def test_verify_a_copy_by_the_public_key_alone(logs: Logs, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(logs.folder, elsewhere / "copy")
    shutil.copy(logs.heads / PUBLIC_KEYS, elsewhere / "keys.pem")
    arguments = ["audit", "verify", "--data-dir", str(elsewhere), "--log-dir", str(elsewhere / "copy")]
    assert main([*arguments, "--public-key", str(elsewhere / "keys.pem")]) == 0
    copy = elsewhere / "copy" / "audit.log"
    copy.write_bytes(b"".join(copy.read_bytes().splitlines(keepends=True)[1:]))
    assert main([*arguments, "--public-key", str(elsewhere / "keys.pem")]) == 1
    assert "lines 1 to 1 are missing" in capsys.readouterr().out
    assert main(arguments) == 1
    assert "keys.pem: No such file" in capsys.readouterr().err


@pytest.fixture
def receiver(tmp_path: Path) -> SyslogReceiver:
    folder = tmp_path / "receiver"
    folder.mkdir()
    return SyslogReceiver(folder)


@needs_rsyslog
@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
@pytest.mark.parametrize("form", ["json", "cef"])
def test_export_to_syslog(logs: Logs, receiver: SyslogReceiver, transport: str, form: str) -> None:
    with receiver.running():
        arguments = ["--to", receiver.url(transport), "--ca", str(receiver.ca), "--format", form]
        assert main(["audit", "export", "--data-dir", str(logs.folder.parent), *arguments]) == 0
        messages = receiver.messages(5)
    assert [(each.priority, each.kind) for each in messages] == [
        (110, "anchor"),
        (110, "call"),
        (108, "call"),
        (108, "call"),
        (110, "anchor"),
    ]
    assert {(each.host, each.application, each.data) for each in messages} == {(socket.gethostname(), "resphere", "-")}
    assert abs(messages[1].time - LIST_VMS.start_time) < timedelta(milliseconds=2)
    if form == "json":
        assert [each.text for each in messages] == logs.path.read_text().splitlines()
    else:
        assert all(each.text.startswith("CEF:0|resphere|") for each in messages)


@needs_rsyslog
def test_a_receiver_whom_nobody_vouches_for_gets_nothing(
    logs: Logs, receiver: SyslogReceiver, capsys: pytest.CaptureFixture[str]
) -> None:
    with receiver.running():
        arguments = ["--to", receiver.url("tls")]
        assert main(["audit", "export", "--data-dir", str(logs.folder.parent), *arguments]) == 1
        assert "certificate verify failed" in capsys.readouterr().err
        other = receiver.url("tls").replace("127.0.0.1", "localhost.localdomain")
        arguments = ["--to", other, "--ca", str(receiver.ca)]
        assert main(["audit", "export", "--data-dir", str(logs.folder.parent), *arguments]) == 1
    assert receiver.file.read_text() == ""


@needs_rsyslog
def test_follow_goes_on_where_it_was_left(logs: Logs, receiver: SyslogReceiver, tmp_path: Path) -> None:
    """While nobody follows, while the receiver is away, and from one file of the log to the next."""
    state = tmp_path / "state.json"
    command = [sys.executable, "-m", "resphere", "audit", "follow", "--data-dir", str(logs.folder.parent)]
    command += ["--to", receiver.url("tcp"), "--state", str(state)]
    with receiver.running(), running(command, stderr=subprocess.PIPE) as following:
        assert len(receiver.messages(5)) == 5
        trail = logs.trail()
        receiver.messages(6)
        wait_until(lambda: json.loads(state.read_text()) == {"1": 6}, "the keeping of the state")
        following.send_signal(signal.SIGINT)
        assert following.wait(timeout=60) == 130
    assert trail.write(json_object(LIST_VMS))
    with running(command, stderr=subprocess.PIPE) as following:
        assert following.stderr is not None
        assert "trying again" in following.stderr.readline()
        logs.path.rename(logs.folder / "audit.000000000001.log")
        trail.tend()
        trail.close()
        with receiver.running():
            messages = receiver.messages(8)
    numbers = [json.loads(each.text)["sequence"] for each in messages]
    assert numbers == list(range(1, 9))


def test_follow_prints_what_comes(logs: Logs) -> None:
    command = [sys.executable, "-m", "resphere", "audit", "follow", "--format", "plain", "--status", "200"]
    command += ["--data-dir", str(logs.folder.parent), "--since", "2026-11-23T00:00:00Z"]
    with running(command, stdout=subprocess.PIPE) as following:
        assert following.stdout is not None
        assert "com.vmware.vcenter.VM.list" in following.stdout.readline()
        trail = logs.trail()
        assert trail.write(json_object(record(user="somebody")))
        assert "somebody" in following.stdout.readline()
    trail.close()


def test_follow_begins_with_what_comes(logs: Logs) -> None:
    command = [sys.executable, "-m", "resphere", "audit", "follow", "--data-dir", str(logs.folder.parent)]
    other = logs.trail(), logs.trail()
    for trail in other:
        trail.close()
    trail = logs.trail()
    with running(command, stdout=subprocess.PIPE) as following:
        # Nothing tells when it has begun: it is asked until it answers.
        assert following.stdout is not None
        output = following.stdout
        os.set_blocking(output.fileno(), False)

        def answered() -> str:
            assert trail.write(json_object(record(request_id="new")))
            return output.readline()

        line = wait_until(answered, "a line")
    assert json.loads(line)["request_id"] == "new" or "anchor" in line
    assert json.loads(line)["sequence"] > 5
    trail.close()
