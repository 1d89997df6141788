"""The API explorer in a real browser: log in, call operations, log out; no CSP violation, no other host."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Literal

import pytest

from tests.browser.accessibility import barriers
from tests.browser.conftest import Watched
from tests.openapi.documents import document, operations
from tests.support.server import ADMINISTRATOR, PASSWORD, Client, Server

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page, Route

VM_LIST = "/api/vcenter/vm"
FIRST_TAG = "com.vmware.appliance.access.consolecli"
"""What is in sight at first."""


def opened(watched: Watched) -> Page:
    """The page, once it shows the operations."""
    watched.page.goto("/apiexplorer")
    watched.page.wait_for_selector(".opblock-tag")
    return watched.page


def log_in(page: Page, password: str = PASSWORD) -> None:
    """Fill in and send the form."""
    page.fill("#password", password)
    page.click("#login button")


def unfold(page: Page, tag: str) -> None:
    """Find a service by the filter, and show its operations: of a long list only what is in sight is there."""
    page.fill(".operation-filter-input", tag.removeprefix("com.vmware."))
    page.click(f'[data-tag="{tag}"]')


def operation(page: Page, tag: str, path: str, method: str = "get") -> Locator:
    """An operation, unfolded and ready to be called."""
    unfold(page, tag)
    found = page.locator(f".opblock-{method}", has=page.locator(f'[data-path="{path}"]')).first
    found.locator(".opblock-summary-control").click()
    found.get_by_role("button", name="Try it out").click()
    return found


def execute(found: Locator) -> tuple[int, str]:
    """Call it; status and body as they are shown."""
    found.get_by_role("button", name="Execute").click()
    reply = found.locator(".live-responses-table tbody tr").first
    reply.locator("pre").first.wait_for()
    return int(reply.locator(".response-col_status").inner_text().split()[0]), reply.locator("pre").first.inner_text()


def assert_quiet(watched: Watched, server: Server, *expected: str) -> None:
    """Nothing was complained of but for ``expected``, and nobody else was asked."""
    assert [text for text in watched.complaints if not any(part in text for part in expected)] == []
    assert {address for address in watched.requests if not address.startswith((server.url + "/", "data:"))} == set()


def test_lists_virtual_machines(watched: Watched, shared_server: Server, client: Client) -> None:
    page = opened(watched)
    log_in(page)
    page.wait_for_selector("#who:not(:empty)")
    assert page.inner_text("#who") == ADMINISTRATOR
    status, body = execute(operation(page, "com.vmware.vcenter.VM", VM_LIST))
    assert (status, json.loads(body)) == (200, client.read(VM_LIST))
    assert_quiet(watched, shared_server)


def test_proposed_numbers_are_within_range(watched: Watched) -> None:
    """The least 64-bit number becomes one beyond the range in JavaScript, so the description gives an example."""
    proposed = operation(opened(watched), "com.vmware.vcenter.VM", VM_LIST, "post").locator("textarea").first
    assert json.loads(proposed.input_value())["boot"]["delay"] == 0


def test_without_a_session_calls_are_refused_and_the_browser_asks_nothing(
    watched: Watched, shared_server: Server
) -> None:
    page = opened(watched)
    status, body = execute(operation(page, "com.vmware.vcenter.VM", VM_LIST))
    assert (status, json.loads(body)["error_type"]) == (401, "UNAUTHENTICATED")
    assert_quiet(watched, shared_server, "401")


def test_a_wrong_password_is_told(watched: Watched, shared_server: Server) -> None:
    page = opened(watched)
    log_in(page, "wrong")
    page.wait_for_selector("#problem:not(:empty)")
    assert page.inner_text("#problem") == "Unable to authenticate user: the name or password is not correct."
    assert page.is_visible("#login")
    assert_quiet(watched, shared_server, "401")


def test_logging_out_ends_the_session(watched: Watched, shared_server: Server) -> None:
    page = opened(watched)
    log_in(page)
    page.wait_for_selector("#who:not(:empty)")
    with page.expect_response(lambda reply: reply.request.method == "DELETE") as ended:
        page.click("#logout button")
    assert ended.value.status == 204
    page.wait_for_selector("#login:not([hidden])")
    status, _ = execute(operation(page, "com.vmware.vcenter.VM", VM_LIST))
    assert status == 401
    assert_quiet(watched, shared_server, "401")


def test_a_session_that_has_ended_is_told(watched: Watched, shared_server: Server) -> None:
    page = opened(watched)
    log_in(page)
    page.wait_for_selector("#who:not(:empty)")
    found = operation(page, "com.vmware.vcenter.VM", VM_LIST)
    assert execute(found)[0] == 200
    token = found.locator(".curl-command").inner_text().partition("vmware-api-session-id: ")[2].partition("'")[0]
    with Client(shared_server, None) as other:
        assert other.delete("/api/session", headers={"vmware-api-session-id": token}).status_code == 204
    found.get_by_role("button", name="Execute").click()
    page.wait_for_selector("#problem:not(:empty)")
    assert "log in again" in page.inner_text("#problem")
    assert page.is_visible("#login")
    assert_quiet(watched, shared_server, "401")


def test_components_are_chosen(watched: Watched, shared_server: Server) -> None:
    page = opened(watched)
    page.select_option("#component", "cis")
    page.wait_for_selector('[data-tag="com.vmware.cis.tasks"]')
    page.wait_for_selector('[data-tag="com.vmware.vcenter.VM"]', state="detached")
    page.uncheck("#implemented")
    page.select_option("#component", "esx")
    page.wait_for_selector('[data-tag^="com.vmware.esx."]')
    page.check("#implemented")
    page.wait_for_selector(f'[data-tag="{FIRST_TAG}"]')
    assert page.input_value("#component") == ""
    assert_quiet(watched, shared_server)


def shown_tags(page: Page) -> list[str]:
    """The services that are shown."""
    return [str(each.get_attribute("data-tag")) for each in page.locator(".opblock-tag").all()]


def test_the_filter_finds_words_of_path_id_and_summary(watched: Watched) -> None:
    page = opened(watched)
    page.wait_for_selector(f'[data-tag="{FIRST_TAG}"]')
    page.fill(".operation-filter-input", "start a virtual machine")
    page.wait_for_selector('[data-tag="com.vmware.vcenter.vm.power"]')
    found = shown_tags(page)
    assert len(found) < 10
    assert FIRST_TAG not in found
    page.fill(".operation-filter-input", "vm")
    page.wait_for_function("count => document.querySelectorAll('.opblock-tag').length > count", arg=len(found))
    assert FIRST_TAG not in shown_tags(page)
    page.fill(".operation-filter-input", "nothing has this")
    page.wait_for_function("document.querySelectorAll('.opblock-tag').length === 0")


def test_what_is_not_implemented_is_marked(watched: Watched) -> None:
    page = opened(watched)
    unfold(page, "com.vmware.vcenter.vm.power")
    page.locator(".opblock").first.wait_for()
    assert page.locator(".unimplemented").count() == 0
    shown = document()
    tag = next(each["tags"][0] for _, _, each in operations(shown) if not each["x-implemented"])
    missing = sum(each["tags"] == [tag] and not each["x-implemented"] for _, _, each in operations(shown))
    page.uncheck("#implemented")
    page.select_option("#component", tag.removeprefix("com.vmware.").partition(".")[0])
    unfold(page, tag)
    marks = page.locator(".unimplemented")
    marks.first.wait_for()
    assert marks.count() == missing


def test_of_two_descriptions_the_one_that_was_chosen_last_is_shown(watched: Watched) -> None:
    page = opened(watched)
    held: list[Route] = []
    page.route("**/api/openapi.json?component=vcenter", lambda route: held.append(route))
    with page.expect_request("**/api/openapi.json?component=vcenter"):
        page.uncheck("#implemented")
    page.select_option("#component", "esx")
    page.wait_for_selector('[data-tag^="com.vmware.esx."]')
    page.wait_for_function("document.querySelectorAll('.loading').length === 0")
    (late,) = held
    with page.expect_response("**/api/openapi.json?component=vcenter") as answered:
        late.continue_()
    answered.value.finished()
    page.evaluate("() => new Promise(requestAnimationFrame)")
    unfold(page, "com.vmware.esx.settings.clusters.software")
    assert all(tag.startswith("com.vmware.esx.") for tag in shown_tags(page))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_narrow_screen_shows_the_whole_width(watched: Watched, scheme: Literal["light", "dark"]) -> None:
    watched.page.emulate_media(color_scheme=scheme)
    watched.page.set_viewport_size({"width": 390, "height": 860})
    page = opened(watched)
    operation(page, "com.vmware.vcenter.VM", VM_LIST)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.evaluate("document.documentElement.classList.contains('dark-mode')") is (scheme == "dark")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_bars_anybody_from_the_list(watched: Watched, scheme: Literal["light", "dark"]) -> None:
    watched.page.emulate_media(color_scheme=scheme)
    page = opened(watched)
    page.wait_for_selector("#servers[aria-label]")
    # Swagger UI's own structure: headings of services are of the third order, and its list alone is the main part.
    assert [each for each in barriers(page) if not each.startswith(("heading-order: ", "region: "))] == []


LISTEN = """
let bundle;
Object.defineProperty(window, "SwaggerUIBundle", {
  get: () => bundle,
  set: (original) => {
    bundle = Object.assign((options) => {
      const ui = original(options);
      const fn = ui.getSystem().fn;
      const { resolveSubtree } = fn;
      window.heard = { ui, resolveSubtree, read: [] };
      fn.resolveSubtree = (description, ...rest) => {
        window.heard.read.push(JSON.stringify(description).length);
        return resolveSubtree(description, ...rest);
      };
      return ui;
    }, original);
  },
});
"""
"""Hears what Swagger UI resolves references in, which it reads anew from its beginning to its end each time."""

COMPARE = """
async ([path, text]) => {
  const system = window.heard.ui.getSystem();
  const whole = JSON.parse(text);
  const baseDoc = new URL(system.specSelectors.url(), document.baseURI).href;
  const { spec, errors } = await window.heard.resolveSubtree(whole, path, { baseDoc });
  const shown = system.specSelectors.specResolvedSubtree(path).toJS();
  return [JSON.stringify(spec), JSON.stringify(shown), errors.map(String)];
}
"""


@pytest.mark.parametrize("method", ["get", "post"])
def test_an_operation_is_read_without_all_others_and_is_the_same(watched: Watched, method: str) -> None:
    watched.page.add_init_script(LISTEN)
    with watched.page.expect_response("**/api/openapi.json?*") as answered:
        page = opened(watched)
    text = answered.value.text()
    assert len(page.evaluate("JSON.stringify(window.heard.ui.getSystem().specSelectors.specJS())")) < len(text) / 4
    operation(page, "com.vmware.vcenter.VM", VM_LIST, method)
    read = page.evaluate("window.heard.read")
    assert len(read) == 2, "the ways to log in, and the operation"
    assert sum(read) < len(text) / 10
    whole, shown, errors = page.evaluate(COMPARE, [["paths", VM_LIST, method], text])
    assert errors == []
    assert json.loads(shown) == json.loads(whole)
    assert sum("openapi.json" in address for address in watched.requests) == 1
    assert watched.complaints == []
