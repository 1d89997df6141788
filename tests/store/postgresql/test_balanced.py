"""Three servers on one database behind a load balancer, which are restarted one after the other under load."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest
import requests

from resphere.certificates.files import ensure_certificates
from tests.store.postgresql.database import database
from tests.store.postgresql.place import url_in
from tests.support.examples import AT_NIGHT
from tests.support.proxies import NOW, PLACES, listens
from tests.support.server import ADMINISTRATOR, PASSWORD, WITHOUT_TLS, Server, clean_environment, free_port, wait_until

PAGE = Path(__file__).parents[3] / "docs" / "scale.md"
HAPROXY = shutil.which("haproxy", path=PLACES)
NGINX = shutil.which("nginx", path=PLACES)
VM = "/api/vcenter/vm"
SIZES = ("--datacenters", "1", "--clusters", "1", "--hosts", "3", "--vms", "20", "--workers", "1")
SERVERS = 3
CALLERS = 4
ASKED_BETWEEN = 50
DRAIN_SECONDS = "5"
NGINX_AROUND = """
pid {folder}/nginx.pid;
error_log {folder}/error.log;
daemon off;
events {{}}
http {{
  access_log off;
  client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  {documented}
}}
"""
EACH = [
    pytest.param(
        *("haproxy", HAPROXY, "{documented}"),
        id="haproxy",
        marks=pytest.mark.skipif(HAPROXY is None, reason="no haproxy here (Debian's haproxy)"),
    ),
    pytest.param(
        *("nginx", NGINX, NGINX_AROUND),
        id="nginx",
        marks=[pytest.mark.skipif(NGINX is None, reason="no nginx here (Debian's nginx-light)"), AT_NIGHT],
    ),
]


def documented(language: str) -> str:
    """The configuration of the page."""
    [found] = re.findall(rf"^```{language}\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    return str(found)


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Server]]:
    folder = tmp_path_factory.mktemp("balanced")
    with database() as own, ExitStack() as stack:
        url = url_in(own, folder)
        flags = ("--store", url, "--trusted-proxy", "127.0.0.1", WITHOUT_TLS, "--drain-seconds", DRAIN_SECONDS)
        servers = [Server(folder / str(number), *flags, *SIZES) for number in range(SERVERS)]
        for each in servers:
            each.start()
            stack.callback(each.stop)
        yield servers


class Callers:
    """Who call through a balancer, again and again: each switches a machine of its own on and off, and looks."""

    def __init__(self, url: str, ca: Path, token: str, machines: list[str]) -> None:
        self._url = url
        self._ca = ca
        self._token = token
        self._stopped = threading.Event()
        self.statuses: Counter[int] = Counter()
        self.failures: list[str] = []
        self._threads = [threading.Thread(target=self._call, args=(vm,)) for vm in machines]

    def __enter__(self) -> Callers:
        for each in self._threads:
            each.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        for each in self._threads:
            each.join()

    def have_asked(self, count: int) -> bool:
        """Whether there were more calls, or one has failed."""
        return self.statuses.total() > count or bool(self.failures)

    def _call(self, vm: str) -> None:
        with requests.Session() as http:
            http.trust_env, http.verify = False, str(self._ca)
            http.headers["vmware-api-session-id"] = self._token
            power = f"{self._url}{VM}/{vm}/power"
            while not self._stopped.is_set():
                for action, state in (("stop", "POWERED_OFF"), ("start", "POWERED_ON")):
                    try:
                        done = http.post(power, params={"action": action}, timeout=60)
                        seen = http.get(power, timeout=60)
                    except requests.RequestException as error:
                        self.failures.append(str(error))
                        return
                    self.statuses.update([done.status_code, seen.status_code])
                    if (done.status_code, seen.status_code) != (204, 200) or seen.json()["state"] != state:
                        self.failures.append(f"{action}: {done.status_code} {done.text} {seen.status_code} {seen.text}")


@pytest.mark.parametrize(("language", "program", "around"), EACH)
def test_a_rolling_restart_fails_no_request(
    servers: list[Server], tmp_path: Path, language: str, program: str, around: str
) -> None:
    files = ensure_certificates(tmp_path / "tls", ("localhost",), lambda: NOW)
    both = tmp_path / "both.pem"
    both.write_bytes(files.certificate.read_bytes() + files.key.read_bytes())
    port = free_port()
    text = documented(language).replace("/etc/ssl/vc.pem", str(both)).replace("/etc/ssl/vc.key", str(files.key))
    text = text.replace("bind :443", f"bind 127.0.0.1:{port}").replace("listen 443", f"listen 127.0.0.1:{port}")
    for number, server in enumerate(servers, 1):
        assert f"10.0.0.{number}:8443" in text
        text = text.replace(f"10.0.0.{number}:8443", f"127.0.0.1:{server.port}")
    file = tmp_path / f"{language}.conf"
    file.write_text(around.format(folder=tmp_path, documented=text))
    options = ("-db", "-f", str(file)) if language == "haproxy" else ("-c", str(file), "-p", str(tmp_path))

    def without(down: Server | None) -> None:
        """What the page asks for of who runs nginx, before a server is restarted."""
        if language == "nginx":
            shown = around.format(folder=tmp_path, documented=text)
            file.write_text(shown if down is None else shown.replace(f":{down.port} ", f":{down.port} down "))
            balancer.send_signal(signal.SIGHUP)

    with (
        (tmp_path / "log").open("wb") as log,
        subprocess.Popen([program, *options], env=clean_environment(), stdout=log, stderr=log) as balancer,
    ):
        try:
            wait_until(lambda: balancer.poll() is not None or listens(port), language)
            assert balancer.poll() is None, (tmp_path / "log").read_text()
            roll(servers, f"https://localhost:{port}", tmp_path / "tls" / "ca.pem", without)
        finally:
            balancer.terminate()


def roll(servers: list[Server], url: str, ca: Path, without: Callable[[Server | None], None]) -> None:
    """Restart all, one after the other, while there are callers."""
    with requests.Session() as http:
        http.trust_env, http.verify = False, str(ca)
        wait_until(lambda: http.get(f"{url}/readyz").status_code == 200, "the balancer has found a server")
        token = http.post(f"{url}/api/session", auth=(ADMINISTRATOR, PASSWORD)).json()
        http.headers["vmware-api-session-id"] = token
        on = http.get(f"{url}{VM}", params={"power_states": "POWERED_ON"}).json()
    with Callers(url, ca, token, [vm["vm"] for vm in on[:CALLERS]]) as callers:
        for server in servers:
            wait_until(partial(callers.have_asked, callers.statuses.total() + ASKED_BETWEEN), "there is load")
            without(server)
            assert server.stop() == 0
            server.start()
            without(None)
    assert callers.failures == []
    for server in servers:
        assert "/power" in server.log.read_text(), "each had its share"
