"""A server that pretends to be of one release has that release's operations, and ours, in every dialect."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from resphere.contract.catalogue import Catalogue
from resphere.contract.generated import index
from tests.support.jsonrpc import JsonRpcClient, error_of
from tests.support.server import Server
from tests.support.vms import refusal

NEW_IN_9 = ("/api/vcenter/consumption-domains/zones", "com.vmware.vcenter.consumption_domains.zones", "list")


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("old") / "data", "--api-release", "7.0") as server:
        yield server


def test_how_many_operations_each_release_has() -> None:
    def count(release: str | None) -> int:
        catalogue = Catalogue(release)
        return sum(1 for key, place in index.OPERATIONS.items() if catalogue.has(place) and key)

    assert (count("7.0"), count("8.0"), count("9.1"), count(None)) == (938, 1111, 1402, 1525)


def test_the_server_states_its_release(old: Server) -> None:
    with old.session() as client:
        for path in ("/api", "/api/vcenter"):
            about = client.get(path).json()
            assert (about["version"], about["api_releases"]) == ("7.0.3", ["7.0"])
    assert "vCenter 7.0.3" in old.banner


def test_what_is_newer_does_not_exist(old: Server) -> None:
    path, service, operation = NEW_IN_9
    with old.session() as client:
        assert refusal(client.get(path)) == (404, "NOT_FOUND", "com.vmware.vapi.rest.httpNotFound")
        assert client.get("/api/vcenter/vm").status_code == 200
        assert client.get("/api/vcenter/host/host-35").status_code in (200, 404)
    with JsonRpcClient(old) as rpc:
        assert error_of(rpc.call(service, operation)) == (
            "operation_not_found",
            ["vapi.method.input.invalid.interface"],
        )


def test_by_default_everything_is_there(shared_server: Server) -> None:
    path, service, operation = NEW_IN_9
    with shared_server.session() as client:
        assert refusal(client.get(path))[1] == "UNSUPPORTED"
        assert client.get("/api").json()["api_releases"] == ["7.0", "8.0", "9.1"]
    with JsonRpcClient(shared_server) as rpc:
        assert error_of(rpc.call(service, operation))[0] == "unsupported"


def test_an_unknown_release_is_refused(tmp_path_factory: pytest.TempPathFactory) -> None:
    with pytest.raises(RuntimeError, match=r"--api-release must be one of 7\.0, 8\.0, 9\.1, not 6\.5"):
        Server(tmp_path_factory.mktemp("bad") / "data", "--api-release", "6.5").start()
