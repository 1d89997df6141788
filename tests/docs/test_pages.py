"""The documentation is true: generated pages are as the code makes them, and nothing is missing."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from resphere.cli.remote.chosen import VARIABLES
from resphere.limits.policy import DEFAULT
from resphere.server.limit_file import read_limits
from resphere.server.settings import all_settings, variable
from tools.docs.commands import exits_table
from tools.docs.pages import pages

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
SOURCES = sorted((ROOT / "src" / "resphere").rglob("*.py"))


def test_generated_pages_are_up_to_date() -> None:
    for name, text in pages().items():
        assert (DOCS / name).read_text(encoding="utf-8") == text, f"{name}: run `make docs`"


def test_every_setting_is_documented() -> None:
    text = (DOCS / "settings.md").read_text(encoding="utf-8")
    assert all(f"`{variable(setting.name)}`" in text for setting in all_settings())


def test_every_message_id_of_ours_is_documented() -> None:
    documented = (DOCS / "errors.md").read_text(encoding="utf-8")
    messages = set(re.findall(r'message\(\s*"(resphere\.[\w.]+)"', all_source()))
    assert messages
    assert not {found for found in messages if f"`{found}`" not in documented}


def all_source() -> str:
    """The whole package as one text."""
    return "\n".join(path.read_text(encoding="utf-8") for path in SOURCES if "generated" not in path.parts)


def test_every_status_of_commands_is_documented() -> None:
    assert "".join(exits_table()) in (DOCS / "commands.md").read_text(encoding="utf-8")


def test_every_variable_that_chooses_a_server_is_documented() -> None:
    text = (DOCS / "commands.md").read_text(encoding="utf-8")
    assert all(f"| `{name}` | {meaning} |" in text for name, meaning in VARIABLES)


@pytest.mark.skipif(shutil.which("man") is None, reason="man is not installed")
def test_the_manual_page_is_well_formed() -> None:
    page = ROOT / "src" / "resphere" / "cli" / "resphere.1"
    done = subprocess.run(["man", "--warnings", "-E", "UTF-8", "-l", page], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert "resphere vm clone VM NAME" in done.stdout


def test_links_between_pages_lead_somewhere() -> None:
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *DOCS.glob("*.md")]:
        for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            if not target.startswith(("http:", "https:")):
                assert (page.parent / target).exists(), f"{page.name} links to {target}"


def excerpts() -> list[tuple[str, str, str]]:
    """``(page, path, excerpt)`` of every piece of code that a page says is in a file."""
    found = []
    for page in sorted(DOCS.glob("*.md")):
        for path, excerpt in re.findall(
            r"```python\n# (src/\S+)\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL
        ):
            found.append((page.name, path, excerpt.rstrip()))
    return found


@pytest.mark.parametrize(("page", "path", "excerpt"), excerpts(), ids=lambda value: value.splitlines()[0].strip())
def test_code_that_pages_show_is_what_stands_in_the_file(page: str, path: str, excerpt: str) -> None:
    assert excerpt in (ROOT / path).read_text(encoding="utf-8"), f"{page}: no longer so in {path}"


def test_pages_show_code() -> None:
    assert len(excerpts()) > 5


def test_the_file_of_limits_that_is_shown_is_one(tmp_path: Path) -> None:
    (shown,) = re.findall(r"```yaml\n(.*?)```", (DOCS / "limits.md").read_text(encoding="utf-8"), re.DOTALL)
    file = tmp_path / "limits.yaml"
    file.write_text(shown)
    policy = read_limits(file)
    assert [rule.title for rule in policy.rates] == ["user-read", "user-write", "address-login", "power-of-a-session"]


def test_limits_by_default_are_told() -> None:
    page = (DOCS / "limits.md").read_text(encoding="utf-8")
    for rule in DEFAULT.rates:
        assert f"{rule.per_second:,.0f} a second, {rule.burst:,} at once" in page
    for policy in (DEFAULT.concurrency, DEFAULT.logins):
        for name in policy.__struct_fields__:
            assert name in page
            assert re.search(rf"\b{getattr(policy, name):,g}\b", page), name
