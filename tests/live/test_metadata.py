"""The API tells of itself over HTTP: to anybody, the same everywhere and always, and of nothing that is not there."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.support.server import Client, Server, wait_until
from tests.support.vms import OFF, any_vm, refusal

METADATA = "/api/vapi/metadata"
REST = "/rest/com/vmware/vapi"
KINDS = ("authentication", "cli", "metamodel", "privilege", "routing")
TREES = ("authentication", "metamodel", "privilege", "routing")
# Longer than any test takes: what is to be seen running runs until the test ends it.
FOREVER = 600


@pytest.mark.parametrize("kind", TREES)
def test_each_kind_along_the_tree(anonymous: Client, kind: str) -> None:
    assert "com.vmware.cis" in anonymous.read(f"{METADATA}/{kind}/component")
    component = anonymous.read(f"{METADATA}/{kind}/component/com.vmware.cis")
    package = anonymous.read(f"{METADATA}/{kind}/package/com.vmware.cis")
    service = anonymous.read(f"{METADATA}/{kind}/service/com.vmware.cis.tasks")
    operation = anonymous.read(f"{METADATA}/{kind}/service/com.vmware.cis.tasks/operation/cancel")
    assert component["info"]["packages"]["com.vmware.cis"] == package
    assert package["services"]["com.vmware.cis.tasks"] == service
    assert service["operations"]["cancel"] == operation
    assert component["fingerprint"] == anonymous.read(f"{METADATA}/{kind}/component/com.vmware.cis/fingerprint")
    names = anonymous.read(f"{METADATA}/{kind}/service/com.vmware.cis.tasks/operation")
    assert sorted(names) == ["cancel", "get", "list"]


@pytest.mark.parametrize("kind", TREES)
@pytest.mark.parametrize("path", ["component", "package", "service", "service/com.vmware.vcenter.VM/operation"])
def test_what_is_not_there_is_not_found(anonymous: Client, kind: str, path: str) -> None:
    reply = anonymous.get(f"{METADATA}/{kind}/{path}/no.such.thing")
    assert refusal(reply) == (404, "NOT_FOUND", "resphere.metadata.not_found")


def test_rest_says_the_same_in_its_own_form(anonymous: Client) -> None:
    id = "com.vmware.vcenter.VM.summary"
    on_api = anonymous.read(f"{METADATA}/metamodel/structure/{id}")
    on_rest = anonymous.read(f"{REST}/metadata/metamodel/structure/id:{id}")["value"]
    assert [field["name"] for field in on_rest["fields"]] == [field["name"] for field in on_api["fields"]]
    assert on_rest["fields"][0]["metadata"][0]["key"] == "Resource"
    assert anonymous.get(f"{REST}/metadata/metamodel/structure/id:{id}x").status_code == 404


def test_how_to_authenticate_and_what_is_needed(anonymous: Client) -> None:
    def schemes(service: str, operation: str) -> list[tuple[str, str | None]]:
        told = anonymous.read(f"{METADATA}/authentication/service/{service}/operation/{operation}")["schemes"]
        return [(each["scheme"].rpartition(".")[2], each.get("session_manager")) for each in told]

    assert schemes("com.vmware.vcenter.VM", "list") == [("session_id", "com.vmware.cis.session")]
    assert ("user_pass", None) in schemes("com.vmware.cis.session", "create")
    assert schemes("com.vmware.vapi.metadata.cli.command", "list") == [("no_authentication", None)]
    create = anonymous.read(f"{METADATA}/privilege/service/com.vmware.vcenter.VM/operation/create")
    on = {each["property_path"]: each["privileges"] for each in create["privilege_info"]}
    assert on["spec.placement.folder"] == ["VirtualMachine.Inventory.Create"]
    assert on["spec.nics.backing.network"] == ["Network.Assign"]


def test_answers_are_revalidated(anonymous: Client) -> None:
    path = f"{METADATA}/metamodel/service/com.vmware.vcenter.VM"
    reply = anonymous.get(path)
    assert anonymous.get(path, headers={"If-None-Match": reply.headers["ETag"]}).status_code == 304


@pytest.mark.parametrize("kind", KINDS)
def test_sources_need_a_session_and_stay_as_they_are(client: Client, anonymous: Client, kind: str) -> None:
    path = f"{METADATA}/{kind}/source"
    assert anonymous.get(path).status_code == 401
    assert client.read(path) == ["vcenter", "resphere"]
    assert client.read(f"{path}/vcenter")["type"] == "FILE"
    assert refusal(client.get(f"{path}/other")) == (404, "NOT_FOUND", "resphere.metadata.no_source")

    def create(id: str, **spec: str) -> tuple[int, str, str]:
        return refusal(client.post(path, json={"source_id": id, "spec": {"description": "", **spec}}))

    file, remote = {"type": "FILE", "filepath": "/etc/passwd"}, {"type": "REMOTE", "address": "https://other:443/api"}
    assert create("vcenter", **file) == (400, "ALREADY_EXISTS", "resphere.metadata.source_exists")
    assert create("other", **file) == (404, "NOT_FOUND", "resphere.metadata.no_file")
    assert create("other", **remote) == (400, "INVALID_ARGUMENT", "resphere.metadata.no_remote")
    assert create("other", type="REMOTE", address="nowhere") == (
        400,
        "INVALID_ARGUMENT",
        "resphere.metadata.bad_address",
    )
    assert create("other", type="REMOTE")[:2] == (400, "INVALID_ARGUMENT")
    assert refusal(client.delete(f"{path}/vcenter")) == (400, "UNSUPPORTED", "resphere.metadata.source_is_built_in")
    assert refusal(client.delete(f"{path}/other")) == (404, "NOT_FOUND", "resphere.metadata.no_source")
    assert client.post(f"{path}?action=reload", json={"source_id": "resphere"}).status_code == 204
    assert client.post(f"{path}?action=reload", json={}).status_code == 204
    assert client.post(f"{path}?action=reload", json={"source_id": "other"}).status_code == 404
    asked = [{}, {"source_id": "resphere"}, {"source_id": "vcenter"}] * 2
    digests = [client.post(f"{path}?action=fingerprint", json=each).json() for each in asked]
    assert digests[:3] == digests[3:]
    assert len(set(digests)) == 3
    assert client.post(f"{path}?action=fingerprint", json={"source_id": "other"}).status_code == 404
    assert client.read(path) == ["vcenter", "resphere"]


def test_fingerprints_are_the_same_on_every_server(shared_server: Server, tmp_path: Path) -> None:
    paths = [
        *(f"{METADATA}/{kind}/component/com.vmware.cis/fingerprint" for kind in TREES),
        f"{METADATA}/cli/command/fingerprint",
        f"{METADATA}/cli/namespace/fingerprint",
        "/api/vapi/std/introspection/provider",
    ]
    with Server(tmp_path / "data", "--workers", "2", "--vms", "3") as other:
        for path in paths:
            found = [Client(server, None).read(path) for server in (shared_server, other, other, other)]
            assert found[1:] == found[:1] * 3, path


def test_a_release_tells_of_what_it_has(tmp_path: Path) -> None:
    with Server(tmp_path / "data", "--api-release", "7.0", "--vms", "3") as old, Client(old, None) as anonymous:
        services = anonymous.read(f"{METADATA}/metamodel/service")
        assert "com.vmware.vcenter.VM" in services
        assert "com.vmware.vapi.metadata.routing.service" not in services
        routing = f"{METADATA}/metamodel/service/com.vmware.vapi.metadata.routing.service"
        assert anonymous.get(routing).status_code == 404
        commands = anonymous.read(f"{METADATA}/cli/command")
        assert not [each for each in commands if each["path"].startswith("com.vmware.vapi.metadata.routing")]
        assert "contentinternal" in anonymous.read("/apiexplorer/json/api.json")["files"]


def test_commands_and_namespaces(anonymous: Client) -> None:
    path = f"{METADATA}/cli"
    listed = anonymous.read(f"{path}/command?path=com.vmware.vcenter.vm")
    assert {"path": "com.vmware.vcenter.vm", "name": "list"} in listed
    identity = {"identity": {"path": "com.vmware.vcenter.vm", "name": "list"}}
    told = anonymous.post(f"{path}/command?action=get", json=identity).json()
    assert (told["service_id"], told["operation_id"], told["formatter"]) == ("com.vmware.vcenter.VM", "list", "TABLE")
    root = anonymous.post(f"{path}/namespace?action=get", json={"identity": {"path": "", "name": ""}}).json()
    assert {"path": "", "name": "com"} in root["children"]
    for what in ("command", "namespace"):
        unknown = {"identity": {"path": "com.vmware", "name": "nothing"}}
        assert anonymous.post(f"{path}/{what}?action=get", json=unknown).status_code == 404
    assert anonymous.get(f"{path}/command?path=com.nothing").status_code == 404


def followed(client: Client, href: str) -> Any:
    """What stands at a link of ``/rest``."""
    parts = urlsplit(href)
    assert f"{parts.scheme}://{parts.netloc}{parts.path}".startswith("https://127.0.0.1:")
    return client.read(f"{parts.path}?{parts.query}")["value"]


def test_from_the_root_of_rest_to_an_operation(anonymous: Client) -> None:
    root = anonymous.read("/rest")["value"]
    components = followed(anonymous, root["components"]["href"])
    [cis] = [each for each in components if each["name"] == "com.vmware.cis"]
    services = followed(anonymous, cis["services"]["href"])
    [tag] = [each for each in services if each["name"] == "com.vmware.cis.tagging.tag"]
    at_the_service = anonymous.read(f"{urlsplit(tag['href']).path}?~method=OPTIONS")["value"]
    for found in (followed(anonymous, tag["metadata"]["href"]), at_the_service):
        [get] = [each for each in found if each["name"] == "get"]
        [link] = get["links"]
        assert link["method"] == "GET"
        assert link["href"].endswith("/rest/com/vmware/cis/tagging/tag/id:{tag_id}")
    resources = followed(anonymous, root["resources"]["href"])
    [vm] = [each for each in resources if each["name"] == "VirtualMachine"]
    assert {"create", "get"} <= {each["name"] for each in followed(anonymous, vm["href"])}


def test_navigation_without_a_base_is_relative(anonymous: Client) -> None:
    root = anonymous.read(f"{REST}/rest/navigation/root")["value"]
    assert root["components"]["href"] == "/com/vmware/vapi/rest/navigation/component"
    for path in ("service?component_id=nothing",):
        assert anonymous.get(f"{REST}/rest/navigation/{path}").status_code == 404
    for path in ("/rest/nothing", "/rest/com/vmware/nothing"):
        assert anonymous.get(f"{path}?~method=OPTIONS").status_code == 404
        asked = anonymous.post(f"{REST}/rest/navigation/options?~action=get", json={"url": path})
        assert asked.status_code == 404


def test_documents_of_the_api_explorer(anonymous: Client) -> None:
    files = anonymous.read("/apiexplorer/json/api.json")["files"]
    assert {"appliance", "cis", "content", "esx", "session", "stats", "vapi", "vcenter", "resphere"} <= set(files)
    for file in files:
        reply = anonymous.get(f"/apiexplorer/json/{file}.json", headers={"Accept-Encoding": "gzip"})
        assert reply.headers["Content-Type"] == "application/json"
        assert reply.headers.get("Content-Encoding") == "gzip"
        document = reply.json()
        assert document["swagger"] == "2.0"
        etag = {"If-None-Match": reply.headers["ETag"]}
        assert anonymous.get(f"/apiexplorer/json/{file}.json", headers=etag).status_code == 304
    vcenter = anonymous.read("/apiexplorer/json/vcenter.json")
    listed = vcenter["paths"]["/api/vcenter/vm"]["get"]
    assert listed["security"] == [{"session_id": []}]
    assert "power_states" in [each["name"] for each in listed["parameters"]]
    assert vcenter["paths"]["/rest/vcenter/vm"]["get"]["deprecated"] is True
    for name in ("nothing.json", "api", "vcenter.txt", "..%2fapi.json"):
        assert anonymous.get(f"/apiexplorer/json/{name}").status_code == 404


def accepted(client: Client, path: str, body: dict[str, str] | None) -> bool:
    return client.post(path, json=body).status_code == 204


def test_what_a_request_has_begun_is_canceled_by_its_id(tmp_path: Path) -> None:
    durations = tmp_path / "durations.yaml"
    durations.write_text(f"clone_vm: {FOREVER}\n")
    with (
        Server(tmp_path / "data", "--vms", "5", "--durations", str(durations)) as server,
        ThreadPoolExecutor(1) as pool,
        server.session() as client,
        server.session() as other,
    ):
        for path, id in (
            ("/api/vapi/vcenter/activation/{}?action=cancel", "by-vcenter"),
            ("/api/vapi/std/activation/activation-manager?action=cancel", "by-std"),
        ):
            clone = {"source": any_vm(client, OFF), "name": id}
            headers = {"X-Request-ID": id}
            waiting = pool.submit(client.post, "/api/vcenter/vm?action=clone", json=clone, headers=headers)

            body = None if "{}" in path else {"activation_id": id}
            wait_until(partial(accepted, other, path.format(id), body), "the task of the request")
            assert refusal(waiting.result())[:2] == (500, "CANCELED")
        gone = other.post("/api/vapi/vcenter/activation/by-vcenter?action=cancel")
        assert refusal(gone)[:2] == (400, "NOT_ALLOWED_IN_CURRENT_STATE")
        over = other.post("/api/vapi/std/activation/activation-manager?action=cancel", json={"activation_id": "by-std"})
        assert over.status_code == 404
        unknown = other.post("/api/vapi/vcenter/activation/nothing?action=cancel")
        assert refusal(unknown) == (404, "NOT_FOUND", "resphere.activation.not_found")
