"""The documentation's navigation lists every page once; a site with a broken link is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.site.build import BESIDE_DOCS, ROOT, ZENSICAL, BadSite, build
from tools.site.navigation import INDEX, Part, parts


def test_every_page_is_listed_once() -> None:
    listed = [page for part in parts((ROOT / INDEX).read_text(encoding="utf-8")) for _, page in part.pages]
    pages = {path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").glob("*.md")} - {INDEX}
    assert pages - set(listed) == set(), f"pages that {INDEX} does not list"
    assert set(listed) <= pages | set(BESIDE_DOCS)


def test_headings_are_parts_and_items_are_pages() -> None:
    text = "# Title\n\nWords [x](x.md).\n\n## One\n\n- [A](a.md): words\n- [B](../b/B.md)\n\n## Two\n\n- no page\n"
    assert parts(text) == (Part("One", (("A", "docs/a.md"), ("B", "b/B.md"))), Part("Two", ()))


def test_a_page_is_listed_once_and_below_a_heading() -> None:
    with pytest.raises(ValueError, match=r"lists docs/a\.md twice"):
        parts("## One\n- [A](a.md)\n## Two\n- [A again](a.md)\n")
    with pytest.raises(ValueError, match=r"lists docs/a\.md before any heading"):
        parts("- [A](a.md)\n")


@pytest.mark.skipif(not ZENSICAL.exists(), reason="Zensical is not in .cache/site; `make site` fetches it")
@pytest.mark.parametrize("link", ["nowhere.md", "README.md#nowhere"])
def test_a_link_that_leads_nowhere_is_refused(tmp_path: Path, link: str) -> None:
    root = tmp_path / "root"
    for name in (*BESIDE_DOCS, INDEX):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("# Words\n")
    (root / "docs" / "page.md").write_text(f"# Page\n\n[Link]({link})\n")
    with pytest.raises(BadSite, match=r"docs/page\.md"):
        build(tmp_path / "site", root)
    assert not (tmp_path / "site").exists()
