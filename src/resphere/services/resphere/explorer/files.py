"""The explorer's files: Swagger UI's from the package ``offapi``, ours from beside this module.

A file's name holds a digest of its content, so that browsers may keep it for good.
"""

from __future__ import annotations

import hashlib
from functools import cache
from html import escape
from importlib.util import find_spec
from pathlib import Path
from string import Template

from resphere.contract.model import Asset

OURS = Path(__file__).parent

SWAGGER_UI = {"swagger-ui-bundle.js": "swagger_bundle.js", "swagger-ui.css": "swagger_style.css"}
"""Swagger UI's own name of a file -> its name in the package."""

MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
FOREVER = (("Cache-Control", "public, max-age=31536000, immutable"), ("Vary", "Accept-Encoding"))

POLICY = (
    "default-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "img-src 'self' data:",  # Swagger UI's style sheet holds its icons
    "object-src 'none'",
)
PAGE_HEADERS = (
    ("Content-Security-Policy", "; ".join(POLICY)),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Referrer-Policy", "no-referrer"),
)


@cache
def files() -> dict[str, Asset]:
    """Name with digest -> file."""
    return {address.rpartition("/")[2]: asset for address, asset in addressed().values()}


@cache
def addressed() -> dict[str, tuple[str, Asset]]:
    """Plain name -> address and file."""
    paths = {name: swagger_ui() / packaged for name, packaged in SWAGGER_UI.items()}
    paths |= {name: OURS / name for name in ("explorer.css", "explorer.js", "explorer.svg", "start.css")}
    found = {}
    for name, path in paths.items():
        content = path.read_bytes()
        digest = hashlib.sha256(content).hexdigest()[:12]
        address = f"/apiexplorer/{path.with_name(name).stem}.{digest}{path.suffix}"
        found[name] = (address, Asset(content, MEDIA_TYPES[path.suffix], FOREVER))
    return found


def names_of_addresses() -> dict[str, str]:
    """What a page calls the address of a file (``explorer_css``) -> the address."""
    return {name.replace("-", "_").replace(".", "_"): address for name, (address, _) in addressed().items()}


def swagger_ui() -> Path:
    """The folder of ``offapi``. It is not imported: that would read all of its megabytes."""
    spec = find_spec("offapi")
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError("the package offapi, which holds Swagger UI, is not installed")
    return Path(spec.submodule_search_locations[0])


@cache
def page_of(components: tuple[str, ...], implemented: frozenset[str]) -> Asset:
    """The page, offering ``components``."""
    options = "".join(
        f"<option{'' if name in implemented else ' data-unimplemented'}>{escape(name)}</option>" for name in components
    )
    text = Template((OURS / "explorer.html").read_text(encoding="utf-8")).substitute(
        names_of_addresses(), options=options
    )
    return Asset(text.encode(), MEDIA_TYPES[".html"], PAGE_HEADERS)
