"""The files of a simulated guest against a dictionary, and its shell against anything."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from resphere.contract.errors import AlreadyExists, InvalidArgument, NotFound, ResourceInUse, Unauthorized, VapiError
from resphere.inventory.guest import INLINE_BYTES, GuestNode
from resphere.providers.simulator.guest.cmd import run_cmd_exe
from resphere.providers.simulator.guest.context import Context
from resphere.providers.simulator.guest.paths import POSIX, WINDOWS, PathStyle
from resphere.providers.simulator.guest.shell import run_text
from resphere.providers.simulator.guest.tree import DIRECTORY, FILE, Limits, Tree
from tests.support.examples import examples

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
ROOT = GuestNode(name="", type=DIRECTORY, modified=NOW, accessed=NOW, created=NOW, permissions="0755")


def nothing_stored(digest: str) -> bytes:
    raise AssertionError(f"{digest} was never stored")


def tree(style: PathStyle = POSIX) -> Tree:
    """An empty guest, with a drive where it is Windows."""
    nodes = {"": ROOT}
    if style.windows:
        nodes["c:"] = GuestNode(name="C:", type=DIRECTORY, modified=NOW, accessed=NOW, created=NOW)
    return Tree(style, nodes, nothing_stored, NOW, Limits())


NAMES = st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=20).filter(
    lambda name: name not in (".", "..")
)
SMALL_NAMES = st.sampled_from(["a", "b", "ä", " ", "c.d"])
PATHS = st.lists(SMALL_NAMES, min_size=1, max_size=3).map(lambda parts: "/" + "/".join(parts))
CONTENTS = st.one_of(st.binary(max_size=30), st.integers(INLINE_BYTES - 1, INLINE_BYTES + 1).map(bytes))


@given(st.lists(NAMES, min_size=1, max_size=4), CONTENTS)
def test_any_name_holds_any_content(names: list[str], data: bytes) -> None:
    files = tree()
    folder, path = "/" + "/".join(names[:-1]), "/" + "/".join(names)
    if names[1:]:
        files.make_directory(folder, True)
    files.write(path, data)
    _, node = files.file(path)
    assert files.read(node) == data
    assert (node.size, node.name) == (len(data), names[-1])
    assert [entry.name for _, entry in files.children(files.directory(folder))] == [names[-1]]


@given(st.text(max_size=300), st.booleans())
def test_any_text_is_a_path_or_refused(text: str, windows: bool) -> None:
    style = WINDOWS if windows else POSIX
    try:
        parts = style.parse(text)
    except InvalidArgument:
        return
    assert style.key(style.parse(style.write(parts))) == style.key(parts)


PIECES = st.sampled_from([*"ab /\\'\"$;|&><\n2-.=#*{}%", "echo", "cat", "rm -rf", "sh -c", "cmd /c", "md", "sleep 1"])


@settings(max_examples=examples(300))
@given(st.lists(PIECES, max_size=40).map("".join))
def test_any_line_ends(line: str) -> None:
    for run, style, home in ((run_text, POSIX, "/"), (run_cmd_exe, WINDOWS, "C:\\")):
        context = Context(tree(style), {"HOME": home}, home, "root", "host")
        assert 0 <= run(context, line) <= 9009


class Files(RuleBasedStateMachine):
    """Random operations on a tree and on a dictionary: path -> content, ``None`` for directories."""

    @initialize()
    def begin(self) -> None:
        self.files = tree()
        self.model: dict[str, bytes | None] = {"": None}
        self.stored: dict[str, bytes] = {}

    @rule(path=PATHS, data=CONTENTS)
    def write(self, path: str, data: bytes) -> None:
        above, there = self.above(path), self.model.get(path, b"")
        if above and there is not None:
            self.files.write(path, data)
            self.model[path] = data
        else:
            self.refused(lambda: self.files.write(path, data), path)

    @rule(path=PATHS, parents=st.booleans())
    def make_directory(self, path: str, parents: bool) -> None:
        steps = [path[: i or None] for i in range(1, len(path) + 1) if path[i:].startswith("/") or i == len(path)]
        free = path not in self.model and all(self.model.get(step, None) is None for step in steps)
        if free and (parents or self.above(path)):
            self.files.make_directory(path, parents)
            self.model |= dict.fromkeys(steps)
        else:
            with pytest.raises((AlreadyExists, NotFound, InvalidArgument)):
                self.files.make_directory(path, parents)
            # A refusal half way leaves nothing: the working copy is thrown away.
            kept = {k: v for k, v in self.files.nodes.items() if ("/" + k if k else "") in self.model}
            self.stored |= self.files.contents
            self.files = Tree(POSIX, kept, self.stored.__getitem__, NOW, Limits())

    @rule(path=PATHS, recursive=st.booleans())
    def delete_directory(self, path: str, recursive: bool) -> None:
        below = [each for each in self.model if each.startswith(path + "/")]
        if self.model.get(path, b"") is None and path in self.model and (recursive or not below):
            self.files.delete_directory(path, recursive)
            for each in [path, *below]:
                del self.model[each]
        else:
            with pytest.raises((ResourceInUse, NotFound, InvalidArgument)):
                self.files.delete_directory(path, recursive)

    @rule(path=PATHS)
    def delete_file(self, path: str) -> None:
        if self.model.get(path) is not None:
            self.files.delete_file(path)
            del self.model[path]
        else:
            self.refused(lambda: self.files.delete_file(path), path)

    @rule(path=PATHS, new_path=PATHS, overwrite=st.booleans())
    def move_file(self, path: str, new_path: str, overwrite: bool) -> None:
        there = new_path in self.model
        allowed = path == new_path or not there or (overwrite and self.model[new_path] is not None)
        if self.model.get(path) is not None and self.above(new_path) and allowed:
            self.files.move_file(path, new_path, overwrite)
            self.model[new_path] = self.model.pop(path)
        else:
            with pytest.raises((AlreadyExists, NotFound, InvalidArgument)):
                self.files.move_file(path, new_path, overwrite)

    @rule(path=PATHS, new_path=PATHS)
    def move_directory(self, path: str, new_path: str) -> None:
        is_directory = path in self.model and self.model[path] is None
        inside = new_path.startswith(path + "/")
        if is_directory and self.above(new_path) and not inside and (new_path not in self.model or path == new_path):
            self.files.move_directory(path, new_path)
            moved = [each for each in self.model if each == path or each.startswith(path + "/")]
            self.model |= {new_path + each[len(path) :]: self.model.pop(each) for each in moved}
        else:
            with pytest.raises((AlreadyExists, NotFound, InvalidArgument)):
                self.files.move_directory(path, new_path)

    def above(self, path: str) -> bool:
        """Whether the directory above is there."""
        parent = path.rpartition("/")[0]
        return parent in self.model and self.model[parent] is None

    @staticmethod
    def refused(act: object, path: str) -> None:
        assert callable(act)
        with pytest.raises((NotFound, InvalidArgument)):
            act()

    @invariant()
    def the_same(self) -> None:
        if not hasattr(self, "files"):
            return
        found = {
            "/" + key if key else "": self.files.read(node) if node.type is FILE else None
            for key, node in self.files.nodes.items()
        }
        assert found == self.model


TestFiles = Files.TestCase
TestFiles.settings = settings(max_examples=examples(60), stateful_step_count=30)


def test_links_lead_on_and_do_not_go_round() -> None:
    files = tree()
    files.make_directory("/a/b", True)
    files.write("/a/b/c", b"found")
    files.link("/l", "a/b")
    files.link("/a/up", "../l/c")
    assert files.read(files.file("/a/up")[1]) == b"found"
    assert files.read(files.file("/l/../b/c")[1]) == b"found"
    files.link("/x", "/y")
    files.link("/y", "/x")
    with pytest.raises(NotFound):
        files.find("/x/z")
    files.delete_file("/l")
    with pytest.raises(NotFound):
        files.file("/a/up")
    with pytest.raises(Unauthorized):
        files.delete_directory("/", True)


def test_a_directory_has_an_end() -> None:
    files = tree()
    for number in range(10_000 - len(files.nodes)):
        files.nodes[str(number)] = files.made(DIRECTORY, str(number))
    with pytest.raises(VapiError) as refusal:
        files.make_directory("/last", False)
    assert refusal.value.messages[0].id == "vmsg.NoDiskSpace.summary"
