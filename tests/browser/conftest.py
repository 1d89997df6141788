"""The server that the browser looks at, and Debian's Chromium driven by Playwright."""

from __future__ import annotations

import importlib
import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.live.conftest import anonymous, client, shared_server
from tests.support.server import Server

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage, Page

__all__ = ["anonymous", "client", "shared_server"]

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

WAIT_MILLISECONDS = 120_000
"""Longer than any busy machine needs."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium from the machine; Playwright's own is never fetched."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("Chromium is not installed (Debian: chromium)")
    try:
        playwright = importlib.import_module("playwright.sync_api")
    except ImportError:
        pytest.skip("Playwright is not installed (make setup)")
    with playwright.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=chromium, args=FLAGS)
        yield started
        started.close()


class Watched:
    """A page with what it asked for and complained of."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.requests: list[str] = []
        self.complaints: list[str] = []
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", self._hear)

    def _hear(self, said: ConsoleMessage) -> None:
        if said.type in ("error", "warning"):
            self.complaints.append(said.text)


@pytest.fixture
def watched(browser: Browser, shared_server: Server) -> Iterator[Watched]:
    """A fresh page of a browser that knows nothing yet."""
    # The certificate is checked by every other client; Chromium would take the CA only from its own database.
    context = browser.new_context(
        base_url=shared_server.url, ignore_https_errors=True, viewport={"width": 1280, "height": 900}
    )
    context.set_default_timeout(WAIT_MILLISECONDS)
    yield Watched(context.new_page())
    context.close()
