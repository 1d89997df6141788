"""A change of the form of documents without a number is found, and only that."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated, Any, ClassVar

import msgspec
import pytest

from resphere.replica.table import Table
from resphere.server.forms.record import FORM
from resphere.server.wiring import WIRING
from tools.forms.__main__ import DESCRIPTION, KEPT, faults, main
from tools.forms.describe import differences, form_of, read, written


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Part(msgspec.Struct, frozen=True):
    size: int
    colour: Colour = Colour.RED


class Thing(msgspec.Struct, frozen=True, omit_defaults=True):
    kind: ClassVar[str] = "thing"
    id: str
    parts: dict[str, Part] = {}
    note: str | None = None


def thing(*fields: Any, sealed: tuple[str, ...] = (), **options: Any) -> Table[Any]:
    """A table of things, which have these fields."""
    names: dict[str, Any] = {"id": str, "parts": (dict[str, Part], {}), "note": (str | None, None)}
    names.update(fields)
    kept = [(name, *(type if isinstance(type, tuple) else (type,))) for name, type in names.items() if type is not None]
    cls = msgspec.defstruct(
        options.pop("called", "Thing"),
        kept,
        namespace={"kind": "thing", "__annotations__": {}},
        **{"frozen": True, "omit_defaults": True, **options},
    )
    return Table(cls=cls, sealed=sealed)


class Larger(msgspec.Struct, frozen=True):
    size: int
    colour: Colour = Colour.BLUE


@pytest.mark.parametrize(
    "table",
    [
        thing(("more", (int, 0))),
        thing(("note", None)),
        thing(("note", (str, ""))),
        thing(("parts", (dict[str, Larger], {}))),
        thing(("parts", (list[Part], ()))),
        thing(("id", Annotated[str, msgspec.Meta(max_length=3)])),
        thing(("note", (str | int | None, None))),
        thing(sealed=("note",)),
        thing(forbid_unknown_fields=True),
        thing(omit_defaults=False),
        thing(tag=True),
        thing(("note", None), ("Note", (str | None, None))),
    ],
)
def test_other_forms(table: Table[Any]) -> None:
    assert differences(form_of([Table(cls=Thing)]), form_of([table])) == ["thing"]


def test_the_same_form_by_another_name() -> None:
    before, after = form_of([thing()]), form_of([thing(called="Object")])
    assert before != after
    assert differences(before, after) == []
    assert differences(form_of([Table(cls=Thing)]), before) == []


def test_a_table_that_comes_or_goes() -> None:
    assert differences(form_of([]), form_of([thing()])) == ["thing"]
    assert differences(form_of([thing()]), form_of([])) == ["thing"]


def test_a_form_is_read_as_it_was_written() -> None:
    form = form_of(WIRING.tables)
    assert read(written(form)) == form


def test_the_refusal_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "4").mkdir()
    assert faults(form_of([thing()]), 4, tmp_path) == ["form 4 of documents has no description: make forms writes it"]
    (tmp_path / "4" / DESCRIPTION).write_text(written(form_of([thing()])))
    assert faults(form_of([thing()]), 4, tmp_path) == []
    (found,) = faults(form_of([thing(("more", (int, 0)))]), 4, tmp_path)
    assert "the form of documents has changed (thing) and its number is 4 still" in found
    assert "Add step 5 to src/resphere/server/forms/steps.py, then make forms; docs/extend.md says how" in found


def test_the_present_form_has_its_number(capsys: pytest.CaptureFixture[str]) -> None:
    assert (KEPT / str(FORM)).is_dir()
    assert main(["--check"]) == 0, capsys.readouterr().err
