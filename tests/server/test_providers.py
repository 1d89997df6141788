"""How long work takes, by name or by a file: nonsense is refused in words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import asdict, fields

from resphere.providers.simulator.durations import MOST_SECONDS, NONE, QUICK, REALISTIC, Durations
from resphere.server.providers import read_durations
from tests.support.examples import examples

NAMES = [field.name for field in fields(Durations)]


def test_by_name() -> None:
    assert [read_durations(name) for name in ("none", "quick", "realistic")] == [NONE, QUICK, REALISTIC]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("power_on: -1", "power_on must be from 0 to 86400, not -1"),
        ("power_on: .nan", "power_on"),
        ("power_on: soon", "power_on"),
        ("power_no: 1", r"there is no key power_no; did you mean power_on\?"),
        ("colour: 1", "there is no key colour; there are power_on, power_off, "),
        ("- power_on", "the file must have keys with values"),
        ("power_on: [", "line 2: this is not YAML"),
        ("", "the file must have keys with values"),
    ],
)
def test_files_that_are_refused(tmp_path: Path, text: str, named: str) -> None:
    file = tmp_path / "durations.yaml"
    file.write_text(text)
    with pytest.raises(ValueError, match=named) as refused:
        read_durations(str(file))
    assert str(refused.value).startswith("--durations: none, quick, realistic or a YAML file of seconds; ")


@settings(max_examples=examples(200), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    given=st.dictionaries(
        st.sampled_from(NAMES) | st.text(max_size=5), st.floats() | st.integers() | st.text(max_size=3), max_size=3
    )
)
def test_any_file_is_refused_in_words_or_makes_sense(tmp_path: Path, given: dict[str, object]) -> None:
    file = tmp_path / "durations.yaml"
    file.write_text(json.dumps(given))
    try:
        read = asdict(read_durations(str(file)))
    except ValueError as error:
        refused = str(error)
    else:
        refused = ""
        assert all(0 <= seconds <= MOST_SECONDS for seconds in read.values())
        assert set(given) <= set(NAMES)
    assert refused == "" or refused.startswith("--durations: ")
