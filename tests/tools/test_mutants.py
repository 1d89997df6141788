"""The faults that ``make mutants`` tries, and how it tells whether tests notice them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.mutants import running
from tools.mutants.__main__ import Explanation, explanations, stale
from tools.mutants.mutations import Mutant, mutants_of
from tools.mutants.running import ROOT, Outcome, module_name, run_all
from tools.mutants.targets import TARGETS

SOURCE = '''
"""A module."""

class Box:
    """A box."""

    def put(self, thing, room):
        if not thing and room < 2:
            raise ValueError(thing)
        self.things = [each for each in thing if each]
        self.rely_on(thing)
        del thing
        for each in self.things:
            if each is None:
                continue
            room += 1 - room
        return room == 0 or f"{room}" + "x"
'''


def faults(source: str, calls: tuple[str, ...] | None = None) -> set[tuple[int, str, str]]:
    return {(mutant.line, mutant.mutation, mutant.code) for mutant in mutants_of("box.py", source, calls)}


def test_what_is_tried() -> None:
    assert faults(SOURCE) == {
        (8, "negated", "not thing and room < 2"),
        (8, "and for or, or for and", "not thing and room < 2"),
        (8, "another comparison", "room < 2"),
        (9, "without the raise", "raise ValueError(thing)"),
        (10, "without the assignment", "self.things = [each for each in thing if each]"),
        (10, "without the filter", "each"),
        (11, "without the call", "self.rely_on(thing)"),
        (12, "without the delete", "del thing"),
        (14, "another comparison", "each is None"),
        (15, "without the continue", "continue"),
        (16, "another operator", "1 - room"),
        (17, "and for or, or for and", "room == 0 or f'{room}' + 'x'"),
        (17, "another comparison", "room == 0"),
    }


@pytest.mark.parametrize(
    ("mutation", "code", "there"),
    [
        ("negated", "not thing and room < 2", "if not (not thing and room < 2):"),
        ("and for or, or for and", "not thing and room < 2", "if not thing or room < 2:"),
        ("another comparison", "room < 2", "if not thing and room <= 2:"),
        ("without the raise", "raise ValueError(thing)", "            pass\n        self.things"),
        ("without the filter", "each", "self.things = [each for each in thing]"),
        ("another operator", "1 - room", "room += 1 + room"),
    ],
)
def test_each_fault_stands_alone_in_the_module(mutation: str, code: str, there: str) -> None:
    (mutant,) = (each for each in mutants_of("box.py", SOURCE) if (each.mutation, each.code) == (mutation, code))
    assert there in mutant.source()
    assert mutant.function == "Box.put"
    compile(mutant.source(), "box.py", "exec")
    mutants = mutants_of("box.py", SOURCE)
    assert len({each.source() for each in mutants}) == len(mutants)


def test_only_calls_of_some_names() -> None:
    assert faults(SOURCE, ("rely_on",)) == {(11, "without the call", "self.rely_on(thing)")}
    condition = "def f(edit):\n    if not edit.take(1):\n        raise ValueError\n    g(edit)\n"
    assert faults(condition, ("take",)) == {(2, "negated", "not edit.take(1)")}


def test_every_module_and_test_that_is_named_is_there_and_no_explanation_is_stale() -> None:
    for target in TARGETS:
        assert all((running.SOURCES / module).is_file() for module in target.modules)
        tests = [test for test in target.tests if not test.startswith("-")]
        assert all((ROOT / test.partition("::")[0]).exists() for test in tests)
    assert stale(explanations()) == []


def test_what_explains_nothing_is_told() -> None:
    known = next(mutant for mutant in mutants_of("access/check.py", (running.SOURCES / "access/check.py").read_text()))
    good = Explanation(*known.key, "because")
    assert stale([good]) == []
    assert len(stale([good, good])) == 2
    (told,) = stale([Explanation("access/check.py", "gone", "negated", "x", "because")])
    assert told.endswith("there is no such mutant")


def test_mutants_are_killed_hang_or_survive(tmp_path: Path) -> None:
    """Of a small module, by tests that are written here."""
    test = tmp_path / "test_it.py"
    test.write_text(
        "from resphere.replica.errors import ConcurrentChange\n"
        "def test_it():\n    assert ConcurrentChange('x').subject == 'x'\n"
    )
    source = (running.SOURCES / "replica" / "errors.py").read_text()

    def mutant(source: str) -> Mutant:
        return Mutant("replica/errors.py", "f", "m", "c", 1, lambda: source)

    killed, same, broken = mutant(source.replace("= subject", "= ''")), mutant(source), mutant("1 / 0")
    hangs = mutant(source.replace("self.subject = subject", "exec('while True: pass')"))
    runs = run_all([None, killed, same, broken], (str(test),), 60, 2)
    assert {run.mutant: run.outcome for run in runs} == {
        None: Outcome.SURVIVED,
        killed: Outcome.KILLED,
        same: Outcome.SURVIVED,
        broken: Outcome.KILLED,
    }
    (hung,) = run_all([hangs], (str(test),), 5, 1)
    assert hung.outcome is Outcome.HUNG
    (untested,) = run_all([None], (str(tmp_path / "gone.py"),), 60, 1)
    assert untested.outcome is Outcome.UNTESTED


def test_an_example_that_fails_is_not_made_smaller(tmp_path: Path) -> None:
    test, failures = tmp_path / "test_it.py", tmp_path / "failures"
    test.write_text(
        "from hypothesis import given, strategies as st\n"
        "@given(st.lists(st.integers(), min_size=2))\n"
        "def test_it(numbers):\n"
        "    if numbers[0] > 9:\n"
        f"        with open({str(failures)!r}, 'a') as file:\n"
        "            file.write('x')\n"
        "        raise AssertionError\n"
    )
    (run,) = run_all([None], (str(test),), 60, 1)
    assert run.outcome is Outcome.KILLED
    assert 1 <= len(failures.read_text()) <= 3


def test_names_of_modules() -> None:
    assert module_name("replica/edit.py") == "resphere.replica.edit"
