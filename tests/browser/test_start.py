"""The page at ``/``: in a real browser, by keyboard, narrow and dark; its commands work; others are told in words."""

from __future__ import annotations

import re
import subprocess
from html import unescape
from typing import Literal

import pytest

from resphere import __version__
from resphere.services.call import Product
from resphere.services.resphere.explorer.start import page as start_page
from tests.browser.accessibility import barriers
from tests.browser.conftest import Watched
from tests.support.server import PASSWORD, Client, Server

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
PRODUCT = Product("8.0.3", "<b>1</b>", "0.1.0", "uuid", ("7.0", "8.0"), "simulator", ())


def test_a_browser_at_the_root_is_told_where_it_is(watched: Watched, shared_server: Server, client: Client) -> None:
    watched.page.goto("/")
    text = watched.page.inner_text("body")
    about = client.read("/api")
    assert watched.page.inner_text("h1") == f"vSphere API of {shared_server.url.partition('://')[2]}"
    for told in (f"resphere {__version__}", about["version"], about["build"], *about["api_releases"]):
        assert told in text
    assert PASSWORD not in text
    assert watched.complaints == []
    assert {address for address in watched.requests if not address.startswith(shared_server.url + "/")} == set()


def test_every_link_leads_somewhere(watched: Watched, anonymous: Client) -> None:
    watched.page.goto("/")
    links = [str(each.get_attribute("href")) for each in watched.page.locator("a").all()]
    assert {"/apiexplorer", "/api/openapi.json", "/certs/download.zip", "/readyz", "/healthz"} <= set(links)
    assert {link: anonymous.get(link).status_code for link in links} == dict.fromkeys(links, 200)


def test_it_is_used_by_keyboard_alone(watched: Watched) -> None:
    page = watched.page
    page.goto("/")
    stops = page.locator("a, pre").count()
    reached = []
    for _ in range(stops):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.getAttribute('href') || document.activeElement.tagName"))
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    assert reached[0] == "/apiexplorer"
    assert reached.count("PRE") == 1
    assert len(reached) == stops
    page.evaluate("document.querySelector('a').focus()")
    page.keyboard.press("Enter")
    page.wait_for_selector(".opblock-tag")
    assert page.url.endswith("/apiexplorer")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_bars_anybody(watched: Watched, scheme: Literal["light", "dark"]) -> None:
    watched.page.emulate_media(color_scheme=scheme)
    watched.page.set_viewport_size({"width": 390, "height": 860})
    watched.page.goto("/")
    assert watched.page.evaluate("document.documentElement.scrollWidth") <= 390
    assert barriers(watched.page) == []


def test_the_commands_of_the_page_work(anonymous: Client) -> None:
    (shown,) = re.findall(r"<pre[^>]*><code>(.*?)</code></pre>", anonymous.get("/", headers=BROWSER).text, re.DOTALL)
    # Where there is a terminal, curl asks for the password.
    commands = unescape(shown).replace("administrator@vsphere.local", f"'administrator@vsphere.local:{PASSWORD}'")
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", commands], capture_output=True, text=True, check=True)
    assert '"name":"web-001"' in done.stdout


def test_the_policy_is_strict_and_nothing_is_inline(anonymous: Client) -> None:
    reply = anonymous.get("/", headers=BROWSER)
    assert (reply.status_code, reply.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert reply.headers["content-security-policy"] == anonymous.get("/apiexplorer").headers["content-security-policy"]
    assert (reply.headers["cache-control"], reply.headers["vary"]) == ("no-store", "Accept")
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script", reply.text)
    assert anonymous.request("HEAD", "/", headers=BROWSER).status_code == 200


def test_others_at_the_root_are_told_where_the_api_is(anonymous: Client) -> None:
    reply = anonymous.get("/")
    assert (reply.status_code, reply.headers["vary"]) == (404, "Accept")
    assert reply.json()["error_type"] == "NOT_FOUND"
    for path in ("/api", "/rest", "/apiexplorer", "/api/openapi.json", "/api/session"):
        assert path in reply.json()["messages"][0]["default_message"]
    assert anonymous.post("/", headers=BROWSER).status_code == 405


def test_what_was_said_to_the_server_is_no_markup() -> None:
    text = start_page(PRODUCT, "https://<script>", has_authority=True).decode()
    assert "<script" not in text
    assert "<b>" not in text
    assert "certificates of authorities" in text


def test_a_server_without_an_authority_of_its_own_offers_none() -> None:
    text = start_page(PRODUCT, "http://127.0.0.1:8080", has_authority=False).decode()
    assert "certs" not in text
    assert "curl -s -u" in text
