"""govmomi's client has files fetched into content libraries, as ``govc library.import -pull`` does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from resphere.fetching.trust import thumbprint_of
from tests.clients.go import build, needs_govmomi, said_by
from tests.support.server import Server
from tests.support.sources import Serving, Site, answers, certificate_files, secured

SOURCE = Path(__file__).parent / "govmomi_pull" / "main.go"
DATA = bytes(range(256)) * 20_000

pytestmark = needs_govmomi


def only_heads() -> Serving:
    """There when somebody looks, and gone when it is to be fetched."""

    def serve(request: Any) -> None:
        answers(200 if request.command == "HEAD" else 404)(request)

    return serve


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the program got."""
    folder = tmp_path_factory.mktemp("govmomi-pull")
    program = build(SOURCE, folder)
    files = certificate_files(folder / "tls")
    (shown, *_) = x509.load_pem_x509_certificates(files.certificate.read_bytes())
    thumbprint = thumbprint_of(shown.public_bytes(Encoding.DER))
    with (
        Server(folder / "data", "--workers", "2", "--fetch-from", "127.0.0.1") as server,
        Site({"/disc.iso": DATA, "/gone.iso": only_heads()}) as plain,
        Site({"/disc.iso": DATA}, secured(files)) as over_tls,
    ):
        with server.session() as client:
            datastore = client.read("/api/vcenter/datastore")[0]["datastore"]
        return said_by(
            program,
            server,
            datastore,
            plain.url("/disc.iso"),
            over_tls.url("/disc.iso"),
            thumbprint,
            plain.url("/gone.iso"),
        )


@pytest.mark.parametrize("name", ["plain.iso", "secured.iso"])
def test_files_are_fetched(seen: dict[str, Any], name: str) -> None:
    found = seen[name]
    assert (found["state"], found["error"]) == ("DONE", "")
    assert (found["file"]["source_type"], found["file"]["name"]) == ("PULL", name)
    assert (found["item"]["size"], found["item"]["content_version"]) == (len(DATA), "2")


def test_the_certificate_is_the_one_that_is_known(seen: dict[str, Any]) -> None:
    assert seen["secured.iso"]["file"]["source_endpoint"]["ssl_certificate_thumbprint"].count(":") == 19


def test_a_file_that_is_not_there(seen: dict[str, Any]) -> None:
    found = seen["none.iso"]
    assert found["state"] == "ERROR" or "400" in found["error"]
    assert found["item"] is None or found["item"].get("size", 0) == 0
