"""Builds the site with Zensical, which is in an environment of its own."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import yaml

from tools.site.navigation import INDEX, Part, parts

ROOT = Path(__file__).parents[2]
ZENSICAL = ROOT / ".cache" / "site" / "venv" / "bin" / "zensical"
OUTPUT = ROOT / "build" / "site"
ASSETS = Path(__file__).parent / "assets"
MADE = "site"
HOME = "README.md"
BESIDE_DOCS = (HOME, "CONTRIBUTING.md", "CHANGELOG.md", "LICENSE", "bench/RESULTS.md")
"""Pages outside ``docs/``, and what they link to."""
OUTSIDE = re.compile(r"\]\(\.\./([^)#\s]+)")
"""A link of a page of ``docs/`` to what is beside that folder."""


class BadSite(Exception):
    """The site cannot be built; says why."""


def build(output: Path = OUTPUT, root: Path = ROOT) -> None:
    """Write the site of the documentation of ``root`` into ``output``, and what it is made of beside that.

    :raises BadSite: a link leads nowhere, or something else is wrong with a page.
    """
    sources = output.with_name(f"{output.name}-sources")
    for folder in (sources, output):
        shutil.rmtree(folder, ignore_errors=True)
    gather(root, sources / "pages")
    listed = parts((root / INDEX).read_text(encoding="utf-8"))
    file = sources / "mkdocs.yml"
    file.write_text(yaml.safe_dump(configuration(listed), sort_keys=False), encoding="utf-8")
    done = subprocess.run(
        [ZENSICAL, "build", "--strict", "--clean", "--config-file", file], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise BadSite(plain(done.stdout + done.stderr))
    # Zensical writes nowhere but beside its configuration.
    shutil.move(sources / MADE, output)


def gather(root: Path, folder: Path) -> None:
    """The pages, where they are in the repository: so their links hold."""
    shutil.copytree(root / "docs", folder / "docs")
    linked = {
        name for page in (root / "docs").glob("*.md") for name in OUTSIDE.findall(page.read_text(encoding="utf-8"))
    }
    for name in {*BESIDE_DOCS, *(name for name in linked if (root / name).is_file())}:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(root / name, folder / name)
    shutil.copytree(ASSETS, folder / "assets")


def configuration(listed: tuple[Part, ...]) -> dict[str, Any]:
    """What Zensical reads, in the form of MkDocs. Fonts are those of the reader's machine, scripts the site's own."""
    return {
        "site_name": "resphere",
        "site_description": "The vSphere REST API, on anything",
        "docs_dir": "pages",
        "site_dir": MADE,
        "nav": [
            {"Home": HOME},
            *({part.title: [{title: page} for title, page in part.pages]} for part in listed),
            {"All pages": INDEX},
        ],
        "theme": {
            "font": False,
            "features": [
                "content.code.copy",
                "navigation.footer",
                "navigation.sections",
                "navigation.tabs",
                "navigation.top",
                "search.highlight",
                "toc.follow",
            ],
            "palette": [
                palette("light", "default", "Follow the system: dark"),
                palette("dark", "slate", "Follow the system: light"),
            ],
        },
        "plugins": ["search", "offline"],
        "extra": {
            "generator": False,
            "polyfills": [{"path": "assets/iframe-worker.js", "async": False, "defer": False}],
        },
        "extra_css": ["assets/site.css"],
        "extra_javascript": ["assets/site.js"],
        "markdown_extensions": [
            "attr_list",
            "md_in_html",
            "pymdownx.superfences",
            "sane_lists",
            "tables",
            {"pymdownx.highlight": {"anchor_linenums": False}},
            {"toc": {"permalink": True}},
        ],
    }


def palette(system: str, scheme: str, toggle: str) -> dict[str, Any]:
    """The colours where the reader's system asks for ``system``, and the button that leads to the others."""
    return {
        "media": f"(prefers-color-scheme: {system})",
        "scheme": scheme,
        "toggle": {"icon": "lucide/sun" if system == "light" else "lucide/moon", "name": toggle},
    }


def plain(text: str) -> str:
    """What a terminal would show, without its colours."""
    return re.sub(r"\x1b\[[0-9;]*m", "", text)
