"""What is written as YAML by hand, read again by PyYAML."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from resphere.providers.simulator.inventory_emit import emit

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63),
    st.floats(allow_nan=False),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=40),
    st.sampled_from(
        ["on", "No", "~", "null", "0x1f", "1_000", "12:30:45", "2025-03-03", "=", "<<", "- a", "a: b", "#"]
    ),
)
KEYS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20) | st.just("k" * 2000)
VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=30
)


@given(VALUES)
def test_the_same_value_comes_back(value: Any) -> None:
    assert yaml.safe_load(emit(value)) == value


@pytest.mark.parametrize(
    "text", ["\x85", "\u2028", "\ufeff", "\x7f", "a\tb", " a ", "a\n b\n", "it's", "\U0001f600", ""]
)
def test_texts_that_yaml_would_change(text: str) -> None:
    assert yaml.safe_load(emit({"text": text, "list": [text, [text]]})) == {"text": text, "list": [text, [text]]}


def test_lists_stand_below_their_keys() -> None:
    assert emit([{"id": "vm-1", "nics": ({"a": 1}, []), "no": {}}]) == (
        "- id: vm-1\n  nics:\n  - a: 1\n  - []\n  'no': {}\n"
    )
