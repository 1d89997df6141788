"""Whatever is done to a log is found, and the first bad line is named."""

from __future__ import annotations

import shutil
import tempfile
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resphere.audit import verify
from resphere.audit.chain import Kind, anchor_line, anchor_of, record_line
from resphere.audit.formats import json_object
from resphere.audit.signing import PUBLIC_KEYS, PublicKeys, SigningKey, publish
from resphere.audit.trail import ANCHOR_RECORDS, Rotation
from resphere.audit.verify import Finding, Verification
from tests.audit.records import record
from tests.audit.trails import Logs, write
from tests.support.examples import examples

FORGER = SigningKey.of(bytes(32))


def made(path: Path) -> Logs:
    """A log of two chains in several files, which ended in order."""
    logs = Logs(path)
    one, other = logs.trail(Rotation(bytes=2000, seconds=0)), logs.trail()
    for number in range(0, 10, 2):
        write(one, range(number, number + 2))
        write(other, range(number, number + 1))
    one.anchor(Kind.TIME)
    write(other, range(1))
    for trail in (other, one):
        trail.close()
    return logs


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Logs:
    logs = made(tmp_path_factory.mktemp("audit"))
    assert logs.findings() == []
    assert logs.findings(with_heads=False) == []
    assert len(list(logs.folder.iterdir())) >= 4
    return logs


@pytest.fixture
def copy(whole: Logs, tmp_path: Path) -> Logs:
    return copied(whole, tmp_path / "copy")


def copied(logs: Logs, path: Path) -> Logs:
    shutil.copytree(logs.folder, path / "log")
    shutil.copytree(logs.heads, path / "audit")
    return Logs(path)


def all_lines(logs: Logs) -> list[tuple[Path, int]]:
    """Each line of the log: its file, and its number there from 0."""
    return [
        (path, number)
        for path in sorted(logs.folder.iterdir())
        for number in range(len(path.read_bytes().splitlines()))
    ]


def edited(path: Path, edit: Callable[[list[bytes]], list[bytes]]) -> None:
    path.write_bytes(b"".join(edit(path.read_bytes().splitlines(keepends=True))))


@st.composite
def edits(draw: st.DrawFn) -> Callable[[Logs], None]:
    """One edit of one file."""
    what = draw(st.sampled_from(("byte", "insert", "cut", "remove", "repeat", "swap", "truncate", "file", "append")))
    place, offset = draw(st.floats(0, 1, exclude_max=True)), draw(st.floats(0, 1, exclude_max=True))
    byte = draw(st.binary(min_size=1, max_size=1))

    def apply(logs: Logs) -> None:
        path, number = all_lines(logs)[int(place * len(all_lines(logs)))]
        content = path.read_bytes()
        at = int(offset * len(content))
        lines = content.splitlines(keepends=True)
        match what:
            case "byte":
                path.write_bytes(content[:at] + (byte if content[at : at + 1] != byte else b"\x00") + content[at + 1 :])
            case "insert":
                path.write_bytes(content[:at] + byte + content[at:])
            case "cut":
                path.write_bytes(content[:at] + content[at + 1 :])
            case "remove":
                path.write_bytes(b"".join(lines[:number] + lines[number + 1 :]))
            case "repeat":
                path.write_bytes(b"".join([*lines[: number + 1], *lines[number:]]))
            case "swap":
                other = (number + 1) % len(lines)
                if other == number:
                    path.unlink()
                    return
                lines[number], lines[other] = lines[other], lines[number]
                path.write_bytes(b"".join(lines))
            case "truncate":
                path.write_bytes(content[:at])
            case "file":
                path.unlink()
            case "append":
                path.write_bytes(content + byte)

    return apply


@settings(max_examples=examples(400), deadline=None)
@given(edit=edits())
def test_any_one_edit_is_found(whole: Logs, edit: Callable[[Logs], None]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        logs = copied(whole, Path(folder))
        edit(logs)
        assert any(finding.tampering for finding in logs.findings())


def rewritten(logs: Logs, from_line: int, key: SigningKey | None) -> None:
    """Change records of the second chain, and make all digests after them right again; anchors are signed by ``key``
    anew, or keep their signatures."""
    path = logs.folder / "audit.2.log"
    lines = logs.lines(2)
    content = path.read_bytes().splitlines(keepends=True)[:from_line]
    place = lines[from_line - 1].place
    for line in lines[from_line:]:
        fields = b"{%b}" % line.content.replace(b'"status":200', b'"status":404')
        anchor = anchor_of(line) if line.is_anchor else None
        if anchor is not None and key is not None:
            place, written = anchor_line(place, msgspec.structs.replace(anchor, key=key.name), key)
        elif line.signature is not None:
            place, written = record_line(place, fields)
            written = b'%b,"signature":"%b"}\n' % (written[:-2], line.signature.hex().encode())
        else:
            place, written = record_line(place, fields)
        content.append(written)
    path.write_bytes(b"".join(content))


@pytest.mark.parametrize("with_heads", [True, False])
def test_digests_that_are_right_again_are_found_at_the_next_anchor(copy: Logs, with_heads: bool) -> None:
    rewritten(copy, 2, None)
    first = copy.findings(with_heads=with_heads)[0]
    assert (first.file, first.line) == ("audit.2.log", len(copy.lines(2)))
    assert "something in lines 2 to " in first.text


@pytest.mark.parametrize("with_heads", [True, False])
def test_a_forged_signature_is_found(copy: Logs, with_heads: bool) -> None:
    rewritten(copy, 2, FORGER)
    first = copy.findings(with_heads=with_heads)[0]
    assert (first.file, first.line) == ("audit.2.log", len(copy.lines(2)))
    assert f"not signed by the key of this server ({FORGER.name})" in first.text


def test_a_changed_line_is_named_and_no_other(copy: Logs) -> None:
    path = copy.folder / "audit.2.log"
    edited(path, lambda lines: [*lines[:3], lines[3].replace(b'"status":200', b'"status":201'), *lines[4:]])
    assert copy.findings() == [
        Finding("audit.2.log", 4, "was changed, or does not follow on the line before it"),
    ]


def test_a_removed_line_is_named(copy: Logs) -> None:
    edited(copy.folder / "audit.2.log", lambda lines: lines[:2] + lines[3:])
    assert copy.findings() == [Finding("audit.2.log", 3, "lines 3 to 3 before it are missing")]


def test_lines_in_another_order_are_named(copy: Logs) -> None:
    edited(copy.folder / "audit.2.log", lambda lines: [*lines[:2], lines[3], lines[2], *lines[4:]])
    assert copy.findings()[0] == Finding("audit.2.log", 3, "lines 3 to 3 before it are missing")


def test_a_removed_chain_is_found_by_the_others_anchors(copy: Logs) -> None:
    (copy.folder / "audit.2.log").unlink()
    lines = "lines 1 to 8 of chain 2 are missing"
    assert copy.findings(with_heads=False) == [Finding("chain 2", 0, lines)]
    assert copy.findings() == [Finding("chain 2", 0, lines)]


def test_a_cut_chain_is_found_by_the_others_anchors(copy: Logs) -> None:
    edited(copy.folder / "audit.2.log", lambda lines: lines[:-3])
    assert copy.findings(with_heads=False) == [Finding("audit.2.log", 0, "lines 6 to 8 of chain 2 are missing")]


def test_the_last_line_of_all_is_missed_where_heads_are(copy: Logs) -> None:
    last = copy.lines()[-1].sequence
    edited(copy.path, lambda lines: lines[:-1])
    assert [finding.text for finding in copy.findings()] == [f"lines {last} to {last} of chain 1 are missing"]
    assert copy.findings(with_heads=False) == []


def test_records_after_the_end_are_found(copy: Logs) -> None:
    place, line = record_line(copy.lines(2)[-1].place, json_object(record()))
    edited(copy.folder / "audit.2.log", lambda lines: [*lines, line])
    assert copy.findings() == [
        Finding("audit.2.log", 0, f"lines {place.sequence} to {place.sequence} were not written by the server")
    ]


def test_an_anchor_of_another_chain_is_found(copy: Logs) -> None:
    (copy.folder / "audit.2.log").rename(copy.folder / "audit.3.log")
    assert copy.findings(with_heads=False)[0].line == 1


def test_a_long_run_without_anchors_is_found(tmp_path: Path) -> None:
    logs = Logs(tmp_path)
    trail = logs.trail()
    trail.close()
    place = trail.place
    with logs.path.open("ab") as file:
        for _ in range(ANCHOR_RECORDS + 1):
            place, line = record_line(place, json_object(record()))
            file.write(line)
    [finding] = logs.findings(with_heads=False)
    assert finding.text == f"follows on {ANCHOR_RECORDS} lines without an anchor"


def test_a_log_that_is_written_meanwhile_is_right(tmp_path: Path) -> None:
    logs = Logs(tmp_path)
    trail = logs.trail(Rotation(bytes=4000, seconds=0))
    write(trail, range(5))
    verification = Verification(logs.folder, PublicKeys.read(logs.heads / PUBLIC_KEYS), logs.heads)
    count = 0
    for count, _ in enumerate(verify.lines_of(logs.folder, 1, lambda: True), 1):
        if count < 60:
            write(trail, range(1))
    assert count == len(logs.lines())
    assert list(verification.run()) == []
    trail.close()


def test_a_key_that_was_made_anew_is_known_beside_the_old_one(tmp_path: Path) -> None:
    logs = Logs(tmp_path)
    logs.trail().close()
    logs.trail(key=FORGER).close()
    assert "not signed by the key of this server" in logs.findings()[0].text
    publish(FORGER, logs.heads / PUBLIC_KEYS)
    assert logs.findings() == []


def test_memory_does_not_grow_with_the_log(tmp_path: Path) -> None:
    logs = Logs(tmp_path)
    trail = logs.trail(Rotation(bytes=1_000_000, seconds=0))
    write(trail, range(12_000))
    trail.close()
    tracemalloc.start()
    try:
        assert logs.findings() == []
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert sum(path.stat().st_size for path in logs.folder.iterdir()) > 4_000_000
    assert peak_bytes < 2_000_000


def test_a_line_without_an_end_does_not_fill_memory(copy: Logs) -> None:
    with (copy.folder / "audit.2.log").open("ab") as file:
        file.write(b"x" * 10_000_000)
    tracemalloc.start()
    try:
        first = copy.findings()[0]
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert first.text == "is no line of the audit log, or was changed"
    assert peak_bytes < 2_000_000


def test_a_file_without_keys_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "keys.pem"
    path.write_text("nothing")
    with pytest.raises(ValueError, match="no public key"):
        PublicKeys.read(path)
