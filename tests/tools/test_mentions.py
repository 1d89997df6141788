"""Names that are put into the words of messages are found."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.mentions import NO_OBJECTS, SOURCES, violations


def found(tmp_path: Path, argument: str, *no_objects: str) -> list[str]:
    """What is found in a message with that argument, without its place."""
    (tmp_path / "module.py").write_text(f'raise NotFound(message("an.id", "There is no {{0}}.", {argument}))\n')
    return [line.removeprefix(f"{tmp_path}/module.py:1: ") for line in violations(tmp_path, no_objects)]


def test_messages_name_no_object_but_by_mentions() -> None:
    assert list(violations(SOURCES, NO_OBJECTS)) == []


@pytest.mark.parametrize("argument", ["vm.name", "f'{vm.name} there'", "', '.join(host.name for host in hosts)"])
def test_a_name_among_the_words_is_found(tmp_path: Path, argument: str) -> None:
    name = "host.name" if "host" in argument else "vm.name"
    assert found(tmp_path, argument) == [f"a message has {name}, which is no mention"]


@pytest.mark.parametrize("argument", ["named(vm)", "identified(vm.id)", "mentions.qualified(vm.id, uuid)", "len(vms)"])
def test_mentions_and_other_words_are_in_order(tmp_path: Path, argument: str) -> None:
    assert found(tmp_path, argument) == []


def test_exceptions_are_needed(tmp_path: Path) -> None:
    assert found(tmp_path, "tag.name", "tag.name") == []
    assert found(tmp_path, "3", "tag.name") == ["tag.name may stand in messages, and stands in none"]
