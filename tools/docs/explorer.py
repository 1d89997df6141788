"""``python -m tools.docs.explorer URL PASSWORD``: picture the API explorer anew, of a server that runs."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

PICTURE = Path(__file__).parents[2] / "docs" / "explorer.png"
VIEWPORT = (1280, 860)


def main(url: str, password: str) -> None:
    """Log in, unfold the creation of a virtual machine, and show what is proposed."""
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        width, height = VIEWPORT
        page = browser.new_page(base_url=url, ignore_https_errors=True, viewport={"width": width, "height": height})
        page.goto("/apiexplorer")
        page.wait_for_selector(".opblock-tag")
        page.fill("#password", password)
        page.click("#login button")
        page.wait_for_selector("#who:not(:empty)")
        page.click('[data-tag="com.vmware.vcenter.VM"]')
        create = page.locator(".opblock-post", has=page.locator('[data-path="/api/vcenter/vm"]')).first
        create.locator(".opblock-summary-control").click()
        create.get_by_role("button", name="Try it out").click()
        create.locator("textarea").first.scroll_into_view_if_needed()
        page.screenshot(path=PICTURE)
        browser.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
