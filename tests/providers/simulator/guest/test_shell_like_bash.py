"""The simulated shell against a real one: scripts of the words that it knows, drawn by a seed, run by both.

Compared are the status, the output, the files that are left, and whether there were errors, whose texts differ.
"""

from __future__ import annotations

import random
import shutil
import stat
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from resphere.inventory.guest import GuestNode
from resphere.providers.simulator.guest.context import Context, Stream
from resphere.providers.simulator.guest.image import POSIX_PROGRAMS
from resphere.providers.simulator.guest.paths import POSIX
from resphere.providers.simulator.guest.shell import run_file
from resphere.providers.simulator.guest.tree import DIRECTORY, FILE, Limits, Tree

BASH = shutil.which("bash")
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
SCRIPTS, BATCH = 400, 50
SCRIPT = "run.sh"

pytestmark = pytest.mark.skipif(BASH is None, reason="there is no bash on the PATH to compare with")


class Scripts:
    """Draws scripts."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._one = self._random.choice
        self._unset_fails = False

    def script(self) -> str:
        """A script, with or without an end of its last line, remarks and blank lines."""
        first = self._one(["", "", "#!/bin/bash\n", "#!/usr/bin/env bash\n", "#!/bin/bash -e\n"])
        options = self._one(["", "", "", "set -e\n", "set -eu\n", "set -o pipefail\n", "set -u; set +u\n"])
        self._unset_fails = "u" in options
        lines = [self._line() for _ in range(self._random.randint(0, 6))]
        return (
            first
            + options
            + "\n".join(lines)
            + self._one(["", "\n", "\n\n", "\n# the end", " # the end\n", ";", "\t\n"])
        )

    def _line(self) -> str:
        chains = [self._chain() for _ in range(self._one([0, 1, 1, 1, 2, 3]))]
        return self._one(["", "", "  "]) + self._one(["; ", ";", " ;\t"]).join(chains)

    def _chain(self) -> str:
        text = self._pipeline()
        for _ in range(self._one([0, 0, 0, 1, 1, 2])):
            text += self._one([" && ", " || ", "&&", " ||\n  "]) + self._pipeline()
        return text

    def _pipeline(self) -> str:
        negated = self._one(["", "", "", "", "", "", "! "])
        if self._one([True, True, False]):
            return negated + self._command()
        # What runs at once works on no files, and reads what it is sent to the end: else the faster one would count.
        parts = [self._part(), *(self._reader() for _ in range(self._one([1, 1, 2])))]
        return negated + self._one([" | ", "|"]).join(parts)

    def _part(self) -> str:
        return self._one(
            [f"echo {self._words()}", "true", "false", "exit 3", "nosuch", "cd d", "pwd", "uname", "shift",
             "cat < /dev/null", f"{self._name()}={self._quoted()}", f"export {self._name()}={self._quoted()}",
             f"printenv {self._name()}"]
        )  # fmt: skip

    def _reader(self) -> str:
        return self._one(
            ["cat", "cat -", "cat - nosuch", "cat >&2", "cat > /dev/null", "bash", "bash -c 'cat; exit 5'",
             "bash -ec cat", f"{self._name()}={self._quoted()} cat", "bash -c 'cat > /dev/null; false'"]
        )  # fmt: skip

    def _command(self) -> str:
        draw = self._one([self._program, self._program, self._program, self._variable, self._exit, self._shell])
        return draw() + self._redirections()

    def _program(self) -> str:
        path, word = self._path, self._word
        draws: list[Callable[[], str]] = [
            lambda: f"echo {self._words()}",
            lambda: f"echo -n {self._words()}",
            lambda: "true",
            lambda: "false",
            lambda: "nosuch",
            lambda: f"./{path()}",
            lambda: f"cat {path()}",
            lambda: f"cat {path()} {path()}",
            lambda: "cat",
            lambda: f"cat - {path()}",
            lambda: f"touch {path()} {path()}",
            lambda: f"mkdir {path()}",
            lambda: f"mkdir -p {path()}/{path()}",
            lambda: f"rm {path()}",
            lambda: f"rm -f {path()} {path()}",
            lambda: f"rm -rf {path()}",
            lambda: f"rmdir {path()}",
            lambda: f"cp {path()} {path()}",
            lambda: f"cp -r {self._one('abc')} {self._one(['d', 'e', 'd/e', 'none/x'])}",
            lambda: "cp -r d c",
            lambda: f"cp {path()} {path()} {path()}",
            lambda: f"mv {path()} {path()}",
            lambda: f"chmod {self._one(['+x', 'u+x', '644', '0755', 'go-r', 'a=r', 'u=rw,g=r'])} {path()}",
            lambda: f"ls {path()}",
            lambda: f"ls -a {path()} {path()}",
            lambda: "ls",
            lambda: f"echo ~ ~/x '~' {word()}",
            lambda: "ls -A d",
            lambda: f"cd {path()}",
            lambda: f"printenv {self._name()}",
            lambda: f"/bin/echo {word()}",
            lambda: ":",
            lambda: "sleep 0",
            lambda: "sleep x",
            lambda: "exit abc",
            lambda: "uname",
        ]
        return self._one(draws)()

    def _variable(self) -> str:
        draws: list[Callable[[], str]] = [
            lambda: f"{self._name()}={self._word()}",
            lambda: f"{self._name()}={self._word()} {self._name()}={self._word()}",
            lambda: f"{self._name()}={self._word()} printenv {self._name()}",
            lambda: f"export {self._name()}={self._quoted()}",
            lambda: f"export {self._name()}",
            lambda: f"unset {self._name()}",
            lambda: f"set -- {self._words()}",
            lambda: "shift",
            lambda: f"env {self._name()}=1 printenv {self._name()}",
            lambda: "$A",
            lambda: f"$B {self._word()}",
        ]
        return self._one(draws)()

    def _exit(self) -> str:
        return self._one(["exit", "exit 3", "exit $?", "exit 256", "exit -1", "exit $A", "true", "true", "false"])

    def _shell(self) -> str:
        inner = self._one(["exit 4", "false", "echo $A", "echo $1 $#", "nosuch", "set -e; false; true", "cat", "true;"])
        return self._one(
            [
                f"bash -c '{inner}' name {self._words()}",
                f"bash -ec '{inner}'",
                f"echo '{inner}' | bash",
                f"bash {self._path()}",
                f"echo '{inner}' > s.sh",
                "bash s.sh one two",
                "chmod +x s.sh; ./s.sh",
                "./s.sh",
            ]
        )

    def _redirections(self) -> str:
        return self._one(
            [""] * 8
            + [
                f" > {self._file()}",
                f" >> {self._file()}",
                f" >{self._file()}",
                ' 2> "$ERRORS"',
                ' > "$ERRORS" 2>&1',
                " 2>>$ERRORS",
                " 2>/dev/null",
                " > /dev/null 2>&1",
                " >&2",
                f" < {self._file()}",
                f" > {self._file()} < {self._file()}",
            ]
        )

    def _file(self) -> str:
        # An unset variable ends a shell, or only the child that would have run the program.
        return "a" if self._unset_fails else self._path().replace(" ", "")

    def _words(self) -> str:
        return " ".join(self._word() for _ in range(self._one([0, 1, 2, 3])))

    def _word(self) -> str:
        draws: list[Callable[[], str]] = [self._plain, self._plain, self._quoted, self._value, self._pattern]
        return "".join(self._one(draws)() for _ in range(self._one([1, 1, 1, 2])))

    def _plain(self) -> str:
        return self._one(["a", "b", "one", "2", "x.y", "a#b", "-z", "k=v", "a\\ b", "\\$A", "\\\\", "=", ",", "{}"])

    def _quoted(self) -> str:
        return self._one(
            ["'a  b'", '"a  b"', "''", '""', "'$A'", '"$A"', '"x$A y"', '"\\$A \\" \\\\ \\n"', '"$@"', '"$*"', "'#'",
             '"*"', "'a;b'", '"a\nb"', '"${A}c"']
        )  # fmt: skip

    def _value(self) -> str:
        return self._one(["$A", "$B", "${C}", "$?", "$#", "$1", "$2", "$@", "$*", "$,", "$A$B"])

    def _pattern(self) -> str:
        return self._one(["*", "?", "[ab]", "d/*", "*.sh", ".*h", "[!a]", "d?", "nothing*", "*/*"])

    def _name(self) -> str:
        return self._one("ABC")

    def _path(self) -> str:
        return self._one(["a", "b", "c", "d", "d/e", "d/f", "none/x", "$A", '"$B"', "'c'", "s.sh", "d/*", '""', "a b"])


def real(place: Path, text: str) -> tuple[object, ...]:
    """What the real shell makes of a script in an empty directory."""
    (place / "d").mkdir(parents=True)
    (place.parent / SCRIPT).write_text(text)
    (place.parent / SCRIPT).chmod(0o755)
    done = subprocess.run(
        [BASH or "", *(["-e"] if text.startswith("#!/bin/bash -e") else []), str(place.parent / SCRIPT)],
        cwd=place,
        env=environment(place),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=20,
        check=False,
    )
    files = {
        str(path.relative_to(place)): (stat.S_IMODE(path.stat().st_mode), path.read_bytes() if path.is_file() else None)
        for path in place.rglob("*")
    }
    errors = place.parent / "errors"
    return done.returncode, done.stdout, bool(done.stderr), files, errors.exists() and bool(errors.read_bytes())


def environment(place: Path) -> dict[str, str]:
    """The variables of both shells."""
    return {
        "ERRORS": f"{place.parent}/errors",
        "HOME": str(place),
        "PATH": "/usr/bin:/bin",
        "LC_ALL": "C",
        "C": "from outside",
    }


def simulated(place: Path, text: str) -> tuple[object, ...]:
    """What the simulated shell makes of it."""
    nodes = {"": GuestNode(name="", type=DIRECTORY, modified=NOW, accessed=NOW, created=NOW, permissions="0755")}
    tree = Tree(POSIX, nodes, lambda digest: b"", NOW, Limits())
    tree.make_directory("/usr/bin", True)
    tree.make_directory("/dev", False)
    tree.link("/bin", "usr/bin")
    for name in POSIX_PROGRAMS:
        tree.write(f"/usr/bin/{name}", b"", permissions="0755")
    tree.make_directory(f"{place}/d", True)
    tree.write(f"{place.parent}/{SCRIPT}", text.encode(), permissions="0755")
    context = Context(tree, environment(place), str(place), "root", "host")
    context.streams[1], context.streams[2] = output, errors = Stream(), Stream()
    status = run_file(context, f"{place.parent}/{SCRIPT}", f"{place.parent}/{SCRIPT}", [])
    prefix = f"{place}/"
    files = {
        f"/{key}".removeprefix(prefix): (
            int(node.permissions, 8),
            tree.content(node) if node.type is FILE else None,
        )
        for key, node in tree.nodes.items()
        if f"/{key}".startswith(prefix)
    }
    _, written = tree.lookup(f"{place.parent}/errors")
    return status, output.take(), bool(errors.take()), files, written is not None and written.size > 0


@pytest.mark.parametrize("batch", range(SCRIPTS // BATCH))
def test_scripts_do_what_a_real_shell_does(tmp_path: Path, batch: int) -> None:
    for seed in range(batch * BATCH, (batch + 1) * BATCH):
        text = Scripts(seed).script()
        place = tmp_path / str(seed) / "work"
        assert simulated(place, text) == real(place, text), f"seed {seed}:\n{text}"
