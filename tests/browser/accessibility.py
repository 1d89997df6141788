"""What axe, which knows the rules of WCAG, finds wrong with a page."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page


def barriers(page: Page) -> list[str]:
    """Each thing that keeps somebody from using what the page shows, with where it stands."""
    axe = importlib.import_module("axe_playwright_python.sync_playwright").Axe()
    # Style sheets of pages that are opened as files cannot be asked for again.
    violations = axe.run(page, options={"preload": False}).response["violations"]
    return [f"{each['id']}: {node['target']}" for each in violations for node in each["nodes"]]
