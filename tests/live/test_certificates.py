"""The server's certificate while it runs: what the API makes of it, and that nobody's request fails for it."""

from __future__ import annotations

import http.client
import os
import shutil
import signal
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from resphere.certificates.files import key_pem
from tests.support.certificates import NAMED, PATH, WHO, Foreign, pem, shown, wait_for_another
from tests.support.examples import AT_NIGHT
from tests.support.server import ADMINISTRATOR, PASSWORD, Client, Server, wait_until

CURL = shutil.which("curl")


def are_gone(server: Server, workers: set[int]) -> bool:
    return not workers & set(server.workers)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with Server(tmp_path / "data", "--vms", "5") as server:
        yield server


class Load:
    """Clients that ask without end, in each way that connections are used; what failed of it."""

    def __init__(self, server: Server, token: str) -> None:
        self._server = server
        self._headers = {"vmware-api-session-id": token}
        self._over = threading.Event()
        self.failures: list[str] = []
        self.answers = {"kept": 0, "fresh": 0, "http2": 0}
        self._context = ssl.create_default_context()
        self._context.check_hostname = False
        self._context.verify_mode = ssl.CERT_NONE
        ways: list[Callable[[], None]] = [self._kept, self._kept, self._fresh, self._fresh, self._http2]
        self._threads = [threading.Thread(target=self._guarded, args=(way,)) for way in ways]

    def goes_on_after(self, answered: dict[str, int]) -> bool:
        """Whether each way has had further answers, or one has failed."""
        return bool(self.failures) or all(self.answers[way] > answered[way] for way in answered)

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _guarded(self, way: Callable[[], None]) -> None:
        try:
            way()
        except Exception as error:  # whatever fails is what the test is about
            self.failures.append(f"{way.__name__}: {error!r}")

    def _connection(self) -> http.client.HTTPSConnection:
        return http.client.HTTPSConnection("127.0.0.1", self._server.port, context=self._context, timeout=60)

    def _ask(self, connection: http.client.HTTPSConnection, way: str) -> None:
        connection.request("GET", "/api/vcenter/vm", headers=self._headers)
        reply = connection.getresponse()
        reply.read()
        assert reply.status == 200, reply.status
        self.answers[way] += 1

    def _kept(self) -> None:
        # http.client opens another connection where an answer said that it was the last.
        with closing(self._connection()) as connection:
            while not self._over.is_set():
                self._ask(connection, "kept")

    def _fresh(self) -> None:
        while not self._over.is_set():
            with closing(self._connection()) as connection:
                self._ask(connection, "fresh")

    def _http2(self) -> None:
        # A connection for so many requests that some are under way when a worker ends. Python's h2 takes the server's
        # notice that it will close for the close itself, and fails what is under way.
        url = f"{self._server.url}/api/vcenter/vm?names=[1-1500]"
        token = f"vmware-api-session-id: {self._headers['vmware-api-session-id']}"
        told = ["--write-out", r"%{http_code} %{http_version}\n", "--output", "/dev/null"]
        while not self._over.is_set():
            command = [CURL or "curl", "--silent", "--show-error", "--insecure", "--http2", "-H", token, *told, url]
            run = subprocess.run(command, capture_output=True, text=True, check=False)
            assert run.returncode == 0, run.stderr
            assert set(run.stdout.splitlines()) == {"200 2"}
            self.answers["http2"] += 1500


@pytest.mark.skipif(CURL is None, reason="no curl here")
@pytest.mark.parametrize("workers", [pytest.param(1, marks=AT_NIGHT), 2])
def test_no_request_fails_while_certificates_change_under_load(tmp_path: Path, workers: int) -> None:
    with Server(tmp_path / "data", "--vms", "5", "--workers", str(workers)) as server:
        client = server.session()
        with Load(server, client.token) as load:
            before = shown(server)
            first = set(server.workers)
            # By a connection of its own: the client's other one is to be kept meanwhile.
            client.http.close()
            assert client.post(f"{PATH}/tls?action=renew").status_code == 204
            after = wait_for_another(server, before, workers)
            assert after.not_valid_after_utc - after.not_valid_before_utc == timedelta(days=730)
            wait_until(partial(are_gone, server, first), "the old workers' end", 90)
            wait_until(partial(load.goes_on_after, dict(load.answers)), "answers", 60)
        client.close()
        assert load.failures == []
        assert len(server.workers) == workers
        assert "another starts" not in server.errors()


def test_a_reload_by_signal_ends_what_is_idle_and_keeps_what_asks(server: Server) -> None:
    with server.session() as client:
        before = server.workers
        server.process.send_signal(signal.SIGHUP)
        wait_until(lambda: server.workers and not set(server.workers) & set(before), "new workers", 90)
        assert client.read("/api/vcenter/vm")


def test_the_user_s_own_files_are_taken_when_they_change_and_only_when_they_fit(tmp_path: Path) -> None:
    foreign = Foreign()
    certificate, key = tmp_path / "c.pem", tmp_path / "k.pem"

    def put(pair: tuple[str, str]) -> None:
        for path, content in zip((certificate, key), pair, strict=True):
            path.write_text(content)
            path.chmod(0o600)

    put(foreign.issue("127.0.0.1"))
    with Server(tmp_path / "data", "--vms", "5", "--tls-cert", str(certificate), "--tls-key", str(key)) as server:
        first = shown(server)
        assert pem(first) == certificate.read_text()
        # The key of another one: half of a change. Nobody gets it, not even who starts anew.
        other = foreign.issue("127.0.0.1")
        certificate.write_text(other[0])
        wait_until(lambda: "is not the key of" in server.errors(), "the refusal")
        (worker,) = server.workers
        os.kill(worker, signal.SIGKILL)
        wait_until(lambda: server.workers and worker not in server.workers, "another worker")
        assert shown(server) == first
        key.write_text(other[1])
        assert pem(wait_for_another(server, first)) == other[0]
        client = Client(server, None)
        client.http.verify = str(foreign.kept_in(tmp_path))
        client.http.headers["vmware-api-session-id"] = client.post(
            "/api/session", auth=(ADMINISTRATOR, PASSWORD)
        ).json()
        refusal = client.post(f"{PATH}/tls?action=renew")
        assert refusal.status_code == 500
        assert str(certificate) in refusal.text
        client.close()


def test_a_request_is_signed_elsewhere_and_its_certificate_is_served(server: Server, tmp_path: Path) -> None:
    foreign = Foreign()
    with server.session() as client:
        before = shown(server)
        csr = client.post(f"{PATH}/tls-csr", json={**WHO, **NAMED, "key_size": 2048})
        assert csr.status_code == 201, csr.text
        cert = foreign.sign(csr.json()["csr"])
        # Nobody trusts its issuer yet.
        refusal = client.put(f"{PATH}/tls", json={"cert": cert})
        assert (refusal.status_code, refusal.json()["error_type"]) == (400, "INVALID_ARGUMENT")
        chain = {"cert_chain": {"cert_chain": [pem(foreign.root.certificate)]}}
        created = client.post(f"{PATH}/trusted-root-chains", json=chain)
        assert created.status_code == 201, created.text
        assert client.post(f"{PATH}/trusted-root-chains", json=chain).json()["error_type"] == "ALREADY_EXISTS"
        assert client.read(f"{PATH}/trusted-root-chains/{created.json()}")["cert_chain"]["cert_chain"] == [
            pem(foreign.root.certificate)
        ]
        assert client.put(f"{PATH}/tls", json={"cert": cert}).status_code == 204
        assert client.put(f"{PATH}/tls", json={"cert": cert}).json()["error_type"] == "ALREADY_EXISTS"
        info = client.read(f"{PATH}/tls")
        assert info["cert"] == cert
        assert info["subject_dn"].startswith("1.2.840.113549.1.9.1=root@vc.example.test")
        assert info["subject_alternative_name"] == NAMED["subject_alt_name"]
        assert pem(wait_for_another(server, before)) == cert
        # No longer ours to renew; another start keeps it.
        client.http.verify = str(foreign.kept_in(tmp_path))
        assert client.post(f"{PATH}/tls?action=renew").json()["error_type"] == "UNSUPPORTED"
    server.stop()
    server.start()
    assert pem(shown(server)) == cert


def test_the_server_s_own_authority_is_made_anew_and_a_subject_is_chosen(server: Server) -> None:
    with server.session() as client:
        before, ca = shown(server), server.ca.read_bytes()
        chosen = {**WHO, **NAMED}
        assert client.post(f"{PATH}/tls?action=replace-vmca-signed", json=chosen).status_code == 204
        second = wait_for_another(server, before)
        assert second.subject != before.subject
        names = second.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        # Those of the server stay: clients reach it by them.
        assert {"vc.example.test", "localhost"} <= set(names.get_values_for_type(x509.DNSName))
        assert client.post(f"{PATH}/vmca-root", json={"common_name": "an authority"}).status_code == 204
        third = wait_for_another(server, second)
        assert third.subject == second.subject
        assert server.ca.read_bytes() != ca
        third.verify_directly_issued_by(x509.load_pem_x509_certificate(server.ca.read_bytes()))
    with server.session() as client:
        [chain] = client.read(f"{PATH}/trusted-root-chains")
        assert client.delete(f"{PATH}/trusted-root-chains/{chain['chain']}").status_code == 400
        assert client.delete(f"{PATH}/trusted-root-chains/none").status_code == 404
        bad_fields: list[dict[str, Any]] = [
            {"country": "Germany"},
            {"country": "\x80"},
            {"country": "D*"},
            {"email_address": "b\xf6rse@example.test"},
            {"key_size": 1024},
            {"subject_alt_name": ["not a name"]},
            {"locality": " "},
        ]
        for bad in bad_fields:
            reply = client.post(f"{PATH}/tls-csr", json={**WHO, **bad})
            assert reply.status_code == 400, reply.text
            assert next(iter(bad)) in reply.text
        for days in (0, 731, -1):
            assert client.post(f"{PATH}/tls?action=renew", json={"duration": days}).status_code == 400


def test_what_does_not_fit_is_refused_and_nothing_changes(server: Server) -> None:
    foreign = Foreign()
    with server.session() as client:
        before = shown(server)
        good, key = foreign.issue("127.0.0.1")
        root = pem(foreign.root.certificate)
        other = foreign.issue("127.0.0.1")
        long_ago = foreign.issue("127.0.0.1", now=foreign.now - timedelta(days=100))
        spec = {"cert": good, "key": key, "root_cert": root}
        refused: list[tuple[dict[str, Any], str]] = [
            ({**spec, "key": other[1]}, "not the key"),
            ({**spec, "key": "none"}, "no private key"),
            ({**spec, "cert": "none"}, "no certificate"),
            ({**spec, "root_cert": other[0]}, "not that of an authority"),
            ({"cert": good, "key": key}, "nobody who is trusted"),
            ({**spec, "cert": long_ago[0], "key": long_ago[1]}, "expired"),
            ({**spec, "cert": root, "key": key_pem(foreign.root.key).decode()}, "that of an authority"),
        ]
        for body, words in refused:
            reply = client.put(f"{PATH}/tls", json=body)
            assert reply.status_code == 400, reply.text
            assert words in reply.text
        assert client.put(f"{PATH}/tls", json={"cert": good}).status_code == 404
        chains: list[tuple[list[str], str]] = [
            ([], "no certificate"),
            (["none"], "no certificate"),
            ([good], "not that of an authority"),
        ]
        for pems, words in chains:
            reply = client.post(f"{PATH}/trusted-root-chains", json={"cert_chain": {"cert_chain": pems}})
            assert reply.status_code == 400, reply.text
            assert words in reply.text
        assert shown(server) == before
        assert not (server.data_dir / "tls" / "installed.pem").exists()
