"""How a store in a database is named, and what is shown of that."""

from __future__ import annotations

from pathlib import Path

import pytest

from resphere.store.engines import check_url, completed_url, folder_of, shown_url
from resphere.store.postgresql.place import place_of, with_folder


def test_its_own_parameters_are_not_the_databases() -> None:
    place = place_of("//me@db:5433/x?sslmode=require&schema=one&folder=/srv/a%20b")
    assert place.dsn == "postgresql://me@db:5433/x?sslmode=require"
    assert (place.schema, place.folder) == ("one", Path("/srv/a b"))


def test_what_is_not_named() -> None:
    place = place_of("//db/x")
    assert (place.schema, place.folder) == ("resphere", None)
    with pytest.raises(ValueError, match="names no folder"):
        _ = place.needed_folder


@pytest.mark.parametrize(
    ("rest", "told"),
    [
        ("db/x", "is named as"),
        ("//db", "is named as"),
        ("//db/", "is named as"),
        ("//db:port/x", "port .* is no number"),
        ("//db:99999/x", "port .* is no number"),
        ("//db/x?schema=A", "small letters"),
        ("//db/x?schema=", "small letters"),
        ('//db/x?schema="; DROP', "small letters"),
        ("//db/x?folder=", "folder .* is empty"),
    ],
)
def test_what_names_none_is_refused(rest: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        check_url(f"postgresql:{rest}")


def test_contents_lie_in_the_data_directory_where_no_folder_is_named(tmp_path: Path) -> None:
    odd = tmp_path / "a b&c"
    for rest in ("//db/x", "//db/x?sslmode=require"):
        url = completed_url(f"postgresql:{rest}", odd)
        assert folder_of(url) == odd
        assert place_of(url.partition(":")[2]).dsn == f"postgresql:{rest}"
    assert with_folder("//db/x?folder=/srv", odd) == "//db/x?folder=/srv"


def test_no_password_is_shown() -> None:
    assert shown_url("postgresql://me:secret@db:5433/x?password=secret") == "postgresql://db:5433/x (schema resphere)"
    with pytest.raises(ValueError, match="is no URL of a store") as refused:
        check_url("postgres://me:secret@db/x")
    assert "secret" not in str(refused.value)
