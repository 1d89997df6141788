"""YAML, wherever it is read: what it means, and what is refused. No text makes it grow, or ends the process."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

import resphere
from resphere.yaml_text import YamlFault, read, read_file

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**15), 10**15),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(min_size=1), inner, max_size=3),
    max_leaves=9,
)


@given(VALUES)
def test_what_is_written_is_read(value: object) -> None:
    text = yaml.safe_dump(value, allow_unicode=True)
    try:
        assert read_file(text.encode()) == value
    except YamlFault:
        # PyYAML itself does not read some texts that it writes.
        with pytest.raises(yaml.YAMLError):
            yaml.safe_load(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (
            "a: 1\nb: 2.5\nc: .5\nd: yes\ne: '1'\nf: true\ng:\n",
            {"a": 1, "b": 2.5, "c": 0.5, "d": "yes", "e": "1", "f": True, "g": None},
        ),
        ("- &x [1]\n- *x\n", [[1], [1]]),
        ("", ""),
    ],
)
def test_scalars(text: str, value: object) -> None:
    assert read_file(text.encode()) == value


@pytest.mark.parametrize(
    "text", ["[" * 50_000, "- " * 50_000, "{a: " * 50_000, "? " * 50_000, "a: " * 3, "[", "*a", "a: 1\na: 2"]
)
def test_what_is_refused(text: str) -> None:
    with pytest.raises(YamlFault):
        read(text)


def test_bytes_that_are_no_text() -> None:
    with pytest.raises(YamlFault, match="UTF-8"):
        read_file(b"a: \xff")


def test_nothing_else_reads_yaml() -> None:
    """A composer follows a text as deep as it goes."""
    root = Path(resphere.__file__).parent
    readers = [
        str(path.relative_to(root))
        for path in root.rglob("*.py")
        if any(
            call in path.read_text()
            for call in ("yaml.load", "yaml.safe_load", "yaml.compose", "yaml.decode", "yaml.parse")
        )
    ]
    assert readers == ["yaml_text.py"]
