"""Scripts as they were written for vCenter 6.5: cookie sessions, wrapped bodies, ``filter.`` parameters."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from resphere.access.defaults import PUBLIC
from resphere.contract.lookup import all_operations
from tests.dialects.test_rest_carries import minimal_input
from tests.support.calls import ALL_SESSIONS_END, NEW_CERTIFICATES
from tests.support.rest_calls import rest_call
from tests.support.server import ADMINISTRATOR, PASSWORD, Server

LOGIN = "/rest/com/vmware/cis/session"
LEFT_OUT = ALL_SESSIONS_END | NEW_CERTIFICATES
CHANGES_THE_SESSION = "com.vmware.cis.session"


class Script:
    """What such a script keeps: an address and a ``requests`` session."""

    def __init__(self, server: Server) -> None:
        self.url = server.url
        self.http = requests.Session()
        self.http.trust_env = False
        self.http.verify = server.verify

    def log_in(self, **headers: str) -> requests.Response:
        return self.http.post(self.url + LOGIN, auth=(ADMINISTRATOR, PASSWORD), headers=headers, timeout=60)

    def get(self, path: str, **params: str) -> requests.Response:
        return self.http.get(self.url + path, params=params, timeout=60)

    def post(self, path: str, body: object = None) -> requests.Response:
        return self.http.post(self.url + path, json=body, timeout=60)


@pytest.fixture
def script(server: Server) -> Iterator[Script]:
    made = Script(server)
    assert made.log_in().status_code == 200
    with made.http:
        yield made


def test_login_sets_a_cookie_for_rest_alone(server: Server) -> None:
    script = Script(server)
    reply = script.log_in()
    assert (reply.status_code, list(reply.json())) == (200, ["value"])
    token = reply.json()["value"]
    assert reply.headers["Set-Cookie"] == f"vmware-api-session-id={token};Path=/rest;SameSite=Strict;Secure;HttpOnly"
    assert script.get("/rest/vcenter/vm").status_code == 200
    assert script.get("/api/vcenter/vm").status_code == 401
    by_header = {"vmware-api-session-id": token}
    assert script.http.get(f"{server.url}/api/vcenter/vm", headers=by_header, timeout=60).status_code == 200


def test_clients_that_use_the_header_get_no_cookie(server: Server) -> None:
    reply = Script(server).log_in(**{"vmware-use-header-authn": "true"})
    assert reply.status_code == 200
    assert "Set-Cookie" not in reply.headers


def test_the_session_is_shown_and_ended(script: Script) -> None:
    shown = script.post(f"{LOGIN}?~action=get").json()["value"]
    assert shown["user"] == ADMINISTRATOR
    ended = script.http.delete(script.url + LOGIN, timeout=60)
    assert (ended.status_code, ended.content) == (200, b"")
    assert "Max-Age=0" in ended.headers["Set-Cookie"]
    assert script.get("/rest/vcenter/vm").status_code == 401


def test_without_a_session(server: Server) -> None:
    reply = Script(server).get("/rest/vcenter/vm")
    body = reply.json()
    assert (reply.status_code, body["type"]) == (401, "com.vmware.vapi.std.errors.unauthenticated")
    assert body["value"]["messages"][0]["id"] == "com.vmware.vapi.endpoint.method.authentication.required"
    assert body["value"]["challenge"] == reply.headers["WWW-Authenticate"]


def test_a_wrong_password(server: Server) -> None:
    reply = requests.post(server.url + LOGIN, auth=(ADMINISTRATOR, "x"), verify=server.verify, timeout=60)
    assert (reply.status_code, reply.json()["value"]["error_type"]) == (401, "UNAUTHENTICATED")


def test_filters_repeated_and_numbered(script: Script) -> None:
    everything = script.get("/rest/vcenter/vm").json()["value"]
    first, second = everything[0]["name"], everything[1]["name"]
    wanted = [vm for vm in everything if vm["name"] in (first, second)]
    repeated = script.get(f"/rest/vcenter/vm?filter.names={first}&filter.names={second}")
    numbered = script.get("/rest/vcenter/vm", **{"filter.names.1": first, "filter.names.2": second})
    assert repeated.json()["value"] == numbered.json()["value"] == wanted
    assert script.get("/rest/vcenter/vm", **{"filter.names": "nobody"}).json() == {"value": []}


@pytest.mark.parametrize("key", ["names", "filter.nonsense", "filter.names.x", "filter.names.1.y", "filter"])
def test_parameters_that_do_not_exist(script: Script, key: str) -> None:
    reply = script.get("/rest/vcenter/vm", **{key: "web"})
    unexpected = key in ("names", "filter.nonsense")
    error = "UNEXPECTED_INPUT" if unexpected else "INVALID_ARGUMENT"
    assert (reply.status_code, reply.json()["value"]["error_type"]) == (400, error)
    named = key.rpartition(".")[2] if unexpected else key.partition(".")[0]
    assert named in reply.json()["value"]["messages"][0]["default_message"]


def test_maps_are_lists_of_entries(script: Script) -> None:
    vm = script.get("/rest/vcenter/vm").json()["value"][0]["vm"]
    wrapped = script.get(f"/rest/vcenter/vm/{vm}").json()["value"]
    assert all(set(entry) == {"key", "value"} for entry in wrapped["disks"])
    token = script.log_in().json()["value"]
    headers = {"vmware-api-session-id": token}
    bare = script.http.get(f"{script.url}/api/vcenter/vm/{vm}", headers=headers, timeout=60).json()
    assert {entry["key"]: entry["value"] for entry in wrapped["disks"]} == bare["disks"]
    assert wrapped["cpu"] == bare["cpu"]


def test_power_answers_with_nothing_and_then_with_an_error(script: Script) -> None:
    vm = script.get("/rest/vcenter/vm", **{"filter.power_states": "POWERED_OFF"}).json()["value"][-1]["vm"]
    done = script.post(f"/rest/vcenter/vm/{vm}/power/start")
    assert (done.status_code, done.content, "Content-Type" in done.headers) == (200, b"", False)
    again = script.post(f"/rest/vcenter/vm/{vm}/power/start")
    assert (again.status_code, again.json()["type"]) == (400, "com.vmware.vapi.std.errors.already_in_desired_state")
    script.post(f"/rest/vcenter/vm/{vm}/power/stop")


def test_bodies_are_keyed_by_parameter(script: Script) -> None:
    vm = script.get("/rest/vcenter/vm", **{"filter.power_states": "POWERED_OFF"}).json()["value"][-1]["vm"]
    url = f"{script.url}/rest/vcenter/vm/{vm}/hardware/cpu"
    before = script.get(f"/rest/vcenter/vm/{vm}/hardware/cpu").json()["value"]
    changed = script.http.patch(url, json={"spec": {"count": 2, "cores_per_socket": 1}}, timeout=60)
    assert changed.status_code == 200
    assert script.get(f"/rest/vcenter/vm/{vm}/hardware/cpu").json()["value"]["count"] == 2
    script.http.patch(
        url, json={"spec": {"count": before["count"], "cores_per_socket": before["cores_per_socket"]}}, timeout=60
    )
    bare = script.http.patch(url, json={"count": 2}, timeout=60)
    assert (bare.status_code, bare.json()["value"]["error_type"]) == (400, "INVALID_ARGUMENT")
    assert "spec" in bare.json()["value"]["messages"][0]["default_message"]
    more = script.http.patch(url, json={"spec": {"count": 2}, "count": 2}, timeout=60)
    assert (more.status_code, more.json()["value"]["error_type"]) == (400, "UNEXPECTED_INPUT")
    assert more.json()["value"]["messages"][0]["args"] == ["[count]", "operation-input"]


def test_an_unknown_url(script: Script) -> None:
    reply = script.get("/rest/vcenter/nothing")
    assert (reply.status_code, reply.json()["type"]) == (404, "com.vmware.vapi.std.errors.not_found")
    assert reply.json()["value"]["messages"][0]["id"] == "com.vmware.vapi.rest.operationsForUrlNotFound"
    wrong = script.http.put(f"{script.url}/rest/vcenter/vm", timeout=60)
    assert (wrong.status_code, "POST" in wrong.headers["Allow"]) == (405, True)


ASKED_ABOUT_URLS = {"com.vmware.vapi.rest.navigation.options.get", "resphere.navigation.options"}


def test_every_operation_of_rest(script: Script) -> None:
    """401 without a session; with one never a 500 of ours, and never "no such URL"."""
    stranger = requests.Session()
    stranger.trust_env, stranger.verify = False, script.http.verify
    for operation in all_operations():
        if operation.rest is None or operation.service == CHANGES_THE_SESSION or operation.id in LEFT_OUT:
            continue
        call = rest_call(operation, minimal_input(operation))
        sent = {"data": call.body, "headers": call.headers, "timeout": 60}
        refused = stranger.request(call.method, script.url + call.target, **sent)  # type: ignore[arg-type]
        # Nobody knows that the least input names something that there is.
        assert refused.status_code in ((200, 404) if operation.id in PUBLIC else (401,)), operation.id
        reply = script.http.request(call.method, script.url + call.target, **sent)  # type: ignore[arg-type]
        if not reply.ok:
            value = reply.json()["value"]
            assert value["error_type"] != "INTERNAL_SERVER_ERROR", operation.id
            ids = [message["id"] for message in value["messages"]]
            # Some are asked what there is at a URL.
            asks = operation.id in ASKED_ABOUT_URLS
            assert asks or "com.vmware.vapi.rest.operationsForUrlNotFound" not in ids, operation.id
