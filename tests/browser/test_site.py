"""The documentation as a site, opened as files: links lead somewhere, search finds, no other host is asked, and nothing
bars anybody."""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import unquote, urldefrag

import pytest

from tests.browser.accessibility import barriers
from tests.browser.conftest import WAIT_MILLISECONDS, Watched
from tools.site.build import ROOT, ZENSICAL, build
from tools.site.navigation import INDEX, parts

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.skipif(not ZENSICAL.exists(), reason="Zensical is not in .cache/site; `make site` fetches it")
MARKS_OF_MARKDOWN = ("- ", "* ", "1. ", "| ", "```")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the site."""
    folder = tmp_path_factory.mktemp("built") / "site"
    build(folder)
    return folder


@pytest.fixture
def reader(browser: Browser) -> Iterator[Watched]:
    """A page of a browser that has no network."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, offline=True)
    context.set_default_timeout(WAIT_MILLISECONDS)
    yield Watched(context.new_page())
    context.close()


class Page(HTMLParser):
    """Where the links of a page lead, what can be linked to, and the beginnings of its paragraphs' lines."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.ids: set[str] = set()
        self.lines: list[str] = []
        self._in_paragraph = False
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.ids |= {str(given[name]) for name in ("id", "name") if given.get(name)}
        self.links += [str(given[name]) for name in ("href", "src") if given.get(name)]
        self._in_paragraph = (self._in_paragraph or tag == "p") and tag not in ("a", "code", "strong")

    def handle_endtag(self, tag: str) -> None:
        self._in_paragraph = self._in_paragraph and tag != "p"

    def handle_data(self, data: str) -> None:
        if self._in_paragraph:
            self.lines += data.splitlines()


def test_every_link_of_the_site_leads_somewhere(site: Path) -> None:
    pages = {path: Page(path) for path in site.rglob("*.html") if path.name != "404.html"}
    assert len(pages) > 40
    broken = []
    for path, page in pages.items():
        for link in page.links:
            if not link.startswith(("http:", "https:", "mailto:", "data:")):
                address, fragment = urldefrag(link)
                target = (path.parent / unquote(address)).resolve() if address else path
                if not target.exists() or (fragment and target in pages and fragment not in pages[target].ids):
                    broken.append(f"{path.relative_to(site)}: {link}")
    assert broken == []


def test_markdown_means_the_same_on_the_site(site: Path) -> None:
    """Lists and tables that need an empty line before them there, and none where the repository is read."""
    plain = [
        f"{path.relative_to(site)}: {line}"
        for path in site.rglob("*.html")
        for line in Page(path).lines
        if line.startswith(MARKS_OF_MARKDOWN)
    ]
    assert plain == []


def test_the_navigation_is_that_of_the_index(site: Path) -> None:
    home = Page(site / "index.html")
    for part in parts((ROOT / INDEX).read_text(encoding="utf-8")):
        _, first = part.pages[0]
        assert f"./{Path(first).with_suffix('.html')}" in home.links, part.title


def test_search_finds_without_a_server(reader: Watched, site: Path) -> None:
    page = reader.page
    page.goto((site / "index.html").as_uri())
    page.locator("dialog").wait_for(state="attached")
    page.keyboard.press("Control+k")
    page.locator("dialog input").first.fill("idempotency")
    page.locator("dialog a", has_text="Make a call once").first.click()
    page.wait_for_url("**/docs/concurrency.html?*#make-a-call-once")
    assert reader.complaints == []
    assert {address for address in reader.requests if not address.startswith(("file:", "data:", "blob:"))} == set()


@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (1280, "dark")])
def test_nothing_bars_anybody(reader: Watched, site: Path, width: int, scheme: Literal["light", "dark"]) -> None:
    reader.page.emulate_media(color_scheme=scheme)
    reader.page.set_viewport_size({"width": width, "height": 900})
    for path in ("docs/start-testing.html", "docs/tasks.html"):
        reader.page.goto((site / path).as_uri())
        assert reader.page.evaluate("document.documentElement.scrollWidth") <= width, path
        assert barriers(reader.page) == [], path
    assert reader.complaints == []
