"""``python -m tools.docs.pictures URL PASSWORD``: picture the pages of the server anew, of one that runs."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

FOLDER = Path(__file__).parents[2] / "docs"
VIEWPORT = (1280, 860)


def main(url: str, password: str) -> None:
    """Each page as it is first seen by whoever follows the documentation."""
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        width, height = VIEWPORT
        page = browser.new_page(base_url=url, ignore_https_errors=True, viewport={"width": width, "height": height})
        page.goto("/")
        page.screenshot(path=FOLDER / "start-page.png")
        show_explorer(page, password)
        page.screenshot(path=FOLDER / "explorer.png")
        browser.close()


def show_explorer(page: Page, password: str) -> None:
    """Log in, unfold the creation of a virtual machine, and show what is proposed."""
    page.goto("/apiexplorer")
    page.wait_for_selector(".opblock-tag")
    page.fill("#password", password)
    page.click("#login button")
    page.wait_for_selector("#who:not(:empty)")
    page.fill(".operation-filter-input", "vcenter.VM")
    page.click('[data-tag="com.vmware.vcenter.VM"]')
    create = page.locator(".opblock-post", has=page.locator('[data-path="/api/vcenter/vm"]')).first
    create.locator(".opblock-summary-control").click()
    create.get_by_role("button", name="Try it out").click()
    create.locator("textarea").first.scroll_into_view_if_needed()


if __name__ == "__main__":
    main(*sys.argv[1:])
