"""Manifests in both spellings, and what they say of files."""

from __future__ import annotations

import hashlib
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resphere.ovf.issues import BadPackage
from resphere.ovf.manifest import (
    MOST_ENTRIES,
    MOST_MANIFEST_BYTES,
    Algorithm,
    ManifestEntry,
    check,
    read_manifest,
    write_manifest,
)

FILES = {"a.ovf": b"<Envelope/>", "disk (1).vmdk": b"disk"}


def digest_of(file: str, algorithm: Algorithm) -> str | None:
    content = FILES.get(file)
    return None if content is None else algorithm.digest(content).hexdigest()


def entries(algorithm: Algorithm) -> list[ManifestEntry]:
    return [ManifestEntry(name, algorithm, algorithm.digest(data).hexdigest()) for name, data in FILES.items()]


@pytest.mark.parametrize("algorithm", Algorithm)
@pytest.mark.parametrize(
    "line", ["{0}({1})= {2}\n", "{0} ({1}) = {2}\r\n", "\ufeff{0}({1})={2}\n\n", "{0}({1})= {3}\n"]
)
def test_spellings(algorithm: Algorithm, line: str) -> None:
    text = line.format(algorithm, "a.ovf", "ab" * algorithm.digest().digest_size, "AB" * algorithm.digest().digest_size)
    assert read_manifest(text.encode(), "a.mf") == (
        ManifestEntry("a.ovf", algorithm, "ab" * algorithm.digest().digest_size),
    )


def test_digests_are_the_usual_ones() -> None:
    assert Algorithm.SHA1.digest(b"x").hexdigest() == hashlib.sha1(b"x").hexdigest()
    assert Algorithm.SHA512.digest(b"x").hexdigest() == hashlib.sha512(b"x").hexdigest()


@pytest.mark.parametrize("algorithm", Algorithm)
def test_what_was_written_is_read_and_fits(algorithm: Algorithm) -> None:
    read = read_manifest(write_manifest(entries(algorithm)), "a.mf")
    assert list(read) == entries(algorithm)
    check(read, digest_of, "a.mf")


def test_a_file_that_is_another_or_is_not_there() -> None:
    first, second = entries(Algorithm.SHA256)
    wrong = [ManifestEntry(first.file, first.algorithm, "00" * 32), second, ManifestEntry("gone", *("SHA1", "00" * 20))]  # type: ignore[arg-type]
    with pytest.raises(BadPackage) as caught:
        check(wrong, digest_of, "a.mf")
    assert [each.message.default_message for each in caught.value.issues] == [
        "The checksum(s) from the provided manifest file do not match the content of file(s): a.ovf",
        "The file gone of the manifest is not in the package.",
    ]


@pytest.mark.parametrize(
    ("content", "words", "line"),
    [
        (b"hello", "Invalid OVF manifest entry: hello", 1),
        (b"\nSHA1(a)= 12", "Invalid OVF manifest entry: SHA1(a)= 12", 2),
        (b"SHA1(a)= " + b"zz" * 20, "Invalid OVF manifest entry", 1),
        (b"SHA1()= " + b"00" * 20, "Invalid OVF manifest entry", 1),
        (b"MD5(a)= " + b"00" * 16, "Invalid OVF checksum algorithm: MD5", 1),
        ((b"SHA1(a)= " + b"00" * 20 + b"\n") * 2, "Invalid OVF manifest entry", 2),
        (b"\xff\xfe", "not text in UTF-8", 0),
        (b" " * (MOST_MANIFEST_BYTES + 1), "larger than", 0),
    ],
)
def test_what_is_no_manifest(content: bytes, words: str, line: int) -> None:
    with pytest.raises(BadPackage) as caught:
        read_manifest(content, "a.mf")
    (issue,) = caught.value.issues
    assert issue.message.default_message.startswith("The provided manifest file is invalid: ")
    assert words in issue.message.default_message
    assert issue.line_number == line


def test_entries_are_bounded() -> None:
    line = "SHA1({0})= " + "00" * 20 + "\n"
    with pytest.raises(BadPackage):
        read_manifest("".join(line.format(number) for number in range(MOST_ENTRIES + 1)).encode(), "a.mf")


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    with suppress(BadPackage):
        read_manifest(content, "a.mf")
