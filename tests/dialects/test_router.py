"""The trie finds what a walk over all routes would find."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from resphere.contract.lookup import api_routes
from resphere.dialects.router import Match, Router, conditions

ROUTES = (
    ("GET", "/api/vm", "list"),
    ("POST", "/api/vm", "create"),
    ("POST", "/api/vm?action=clone", "clone"),
    ("POST", "/api/vm?action=clone&vmw-task=true", "clone-task"),
    ("GET", "/api/vm/{vm}", "get"),
    ("GET", "/api/vm/{vm}/file?name", "file-by-name"),
    ("GET", "/api/vm/{vm}/file", "files"),
    ("GET", "/api/vm/special", "special"),
    ("POST", "/api/vm/{vm}/power?action=start", "start"),
    ("POST", "/api/vm/{vm}/power?action=stop", "stop"),
    ("GET", "/api/vm/{vm}/power", "power"),
    ("GET", "/api/vm/special/{thing}/deep", "deep"),
    ("GET", "/api/vm/{vm}/{part}/other", "other"),
)
ROUTER = Router(ROUTES)
EVERY = Router(api_routes())


def found(method: str, path: str, **query: list[str]) -> Match | None:
    """What the small router makes of a request."""
    node = ROUTER.find([segment for segment in path.split("/") if segment])
    return node.select(method, query) if node else None


def place(method: str, path: str, **query: list[str]) -> str | None:
    match = found(method, path, **query)
    return match.place if match else None


def test_paths() -> None:
    assert place("GET", "/api/vm") == "list"
    assert place("GET", "/api/vm/vm-1") == "get"
    match = found("GET", "/api/vm/vm-1/power")
    assert match
    assert (match.place, match.parameters) == ("power", {"vm": "vm-1"})
    for path in ("/", "/api", "/api/vms", "/api/vm/vm-1/nothing", "/api/vm/vm-1/power/start", "/API/vm"):
        assert place("GET", path) is None


def test_a_literal_goes_before_a_parameter_but_is_no_dead_end() -> None:
    assert place("GET", "/api/vm/special") == "special"
    assert place("GET", "/api/vm/special/power") == "power"
    assert place("GET", "/api/vm/special/x/deep") == "deep"
    match = found("GET", "/api/vm/special/x/other")
    assert match
    assert (match.place, match.parameters) == ("other", {"vm": "special", "part": "x"})


def test_the_query_selects_and_the_most_particular_goes_first() -> None:
    assert place("POST", "/api/vm") == "create"
    assert place("POST", "/api/vm", action=["clone"]) == "clone"
    assert place("POST", "/api/vm", **{"action": ["clone"], "vmw-task": ["true"]}) == "clone-task"
    assert place("POST", "/api/vm/vm-1/power", action=["stop"]) == "stop"
    assert place("POST", "/api/vm/vm-1/power", action=["explode"]) is None
    assert place("POST", "/api/vm/vm-1/power") is None
    assert place("POST", "/api/vm/vm-1/power", action=["start", "stop"]) is None
    assert place("GET", "/api/vm/vm-1/file", name=["x"]) == "file-by-name"
    assert place("GET", "/api/vm/vm-1/file") == "files"


def test_what_a_path_allows() -> None:
    node = ROUTER.find(["api", "vm", "vm-1", "power"])
    assert node
    assert node.allowed == ("GET", "HEAD", "OPTIONS", "POST")
    assert node.actions("POST") == ("action=start", "action=stop")
    assert node.select("PUT", {}) is None


def test_conditions() -> None:
    assert list(conditions("action=clone&name&vmw-task=true")) == [
        ("action", "clone"),
        ("name", None),
        ("vmw-task", "true"),
    ]
    assert list(conditions("")) == []


def scan(segments: Sequence[str]) -> set[str]:
    """The paths, as the contract writes them, that fit by a walk over all routes."""
    fitting = set()
    for _, text, _ in api_routes():
        parts = [part for part in text.partition("?")[0].split("/") if part]
        pairs = zip(parts, segments, strict=False)
        if len(parts) == len(segments) and all(part[0] == "{" or part == segment for part, segment in pairs):
            fitting.add("/".join("{}" if part[0] == "{" else part for part in parts))
    return fitting


PATHS = sorted({text.partition("?")[0] for _, text, _ in api_routes()})
WORDS = sorted({part for path in PATHS for part in path.split("/") if part and part[0] != "{"})


@st.composite
def segments(draw: st.DrawFn) -> list[str]:
    """A path of the contract with its parameters filled in, by words of the contract too, and sometimes bent."""
    parts = [part for part in draw(st.sampled_from(PATHS)).split("/") if part]
    filled = [draw(st.sampled_from(("x", *WORDS))) if part[0] == "{" else part for part in parts]
    if filled and draw(st.integers(0, 3)) == 0:
        filled[draw(st.integers(0, len(filled) - 1))] = draw(st.sampled_from(WORDS))
    return filled


@given(segments())
def test_the_trie_finds_a_path_exactly_where_a_scan_does(path: list[str]) -> None:
    assert (EVERY.find(path) is not None) == bool(scan(path))
