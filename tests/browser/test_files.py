"""The explorer's page and files as they are served: media types, caching, policy, refusals."""

from __future__ import annotations

import base64
import re
from typing import Any

import pytest

from tests.support.server import Client

NO_INPUT: dict[str, Any] = {"STRUCTURE": {"operation-input": {}}}


def addresses(client: Client) -> list[str]:
    """What the page refers to."""
    return re.findall(r'(?:href|src)="([^"]+)"', client.get("/apiexplorer").text)


@pytest.mark.parametrize("path", ["/apiexplorer", "/apiexplorer/"])
def test_anybody_gets_the_page(anonymous: Client, path: str) -> None:
    reply = anonymous.get(path)
    assert (reply.status_code, reply.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert reply.headers["cache-control"] == "no-store"


def test_the_policy_is_strict(anonymous: Client) -> None:
    policy = dict(
        rule.strip().split(" ", 1)
        for rule in anonymous.get("/apiexplorer").headers["content-security-policy"].split(";")
    )
    assert policy["default-src"] == "'self'"
    assert not {"script-src", "style-src", "connect-src"} & set(policy)
    assert policy["frame-ancestors"] == policy["form-action"] == policy["base-uri"] == policy["object-src"] == "'none'"
    assert not re.search(r"unsafe|https?:|\*", " ".join(policy.values()))


def test_the_page_has_nothing_inline(anonymous: Client) -> None:
    page = anonymous.get("/apiexplorer").text
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", page)
    assert all(address.startswith("/apiexplorer/") for address in addresses(anonymous))


def test_files_may_be_kept_for_good(anonymous: Client) -> None:
    expected = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8", "svg": "image/svg+xml"}
    found = addresses(anonymous)
    assert len(found) == 5
    for address in found:
        reply = anonymous.get(address)
        assert (reply.status_code, reply.headers["content-type"]) == (200, expected[address.rpartition(".")[2]])
        assert reply.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert reply.headers["vary"] == "Accept-Encoding"
        assert reply.headers["x-content-type-options"] == "nosniff"


def test_large_files_are_compressed(anonymous: Client) -> None:
    (bundle,) = [address for address in addresses(anonymous) if "swagger-ui-bundle" in address]
    assert anonymous.get(bundle, headers={"Accept-Encoding": "gzip"}).headers["content-encoding"] == "gzip"
    plain = anonymous.get(bundle, headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert anonymous.get(bundle, headers={"Accept-Encoding": "gzip"}).content == plain.content


@pytest.mark.parametrize("name", ["none.js", "explorer.js", "..%2Fhandlers.py", "%2e%2e%2ffiles.py", "a/b"])
def test_other_files_are_not_found(anonymous: Client, name: str) -> None:
    reply = anonymous.get(f"/apiexplorer/{name}")
    assert (reply.status_code, reply.json()["error_type"]) == (404, "NOT_FOUND")


def test_nothing_is_posted_to_it(anonymous: Client) -> None:
    reply = anonymous.post("/apiexplorer")
    assert (reply.status_code, reply.headers["allow"]) == (405, "GET, HEAD, OPTIONS")


def test_json_rpc_has_the_same_page(anonymous: Client) -> None:
    context: dict[str, Any] = {"appCtx": {}, "securityCtx": {}}
    params = {"serviceId": "resphere.explorer", "operationId": "page", "ctx": context, "input": NO_INPUT}
    reply = anonymous.post("/api", json={"jsonrpc": "2.0", "method": "invoke", "id": "1", "params": params})
    page = reply.json()["result"]["output"]["BINARY"]
    assert base64.b64decode(page) == anonymous.get("/apiexplorer").content
