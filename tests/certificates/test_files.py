"""Certificates made at the first start, renewed, given by the user, and believed by real clients."""

from __future__ import annotations

import logging
import shutil
import socket
import ssl
import stat
import subprocess
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID

from resphere.certificates.files import TlsError, TlsFiles, ensure_certificates, given_certificates

NOW = datetime.now(UTC).replace(microsecond=0)


def at(moment: datetime) -> Callable[[], datetime]:
    return lambda: moment


def ensure(directory: Path, *names: str, now: datetime = NOW) -> TlsFiles:
    return ensure_certificates(directory, names, at(now))


def certificate(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


def dns_names(path: Path) -> list[str]:
    names = certificate(path).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return names.get_values_for_type(x509.DNSName)


def addresses(path: Path) -> list[str]:
    names = certificate(path).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return [str(address) for address in names.get_values_for_type(x509.IPAddress)]


def handshake(files: TlsFiles, client: ssl.SSLContext, host: str) -> str | None:
    """One TLS handshake over a real socket; the protocol version the client sees."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(files.certificate, files.key)

    def serve(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection:
            try:
                with server.wrap_socket(connection, server_side=True) as secured:
                    secured.recv(1)
            except (ssl.SSLError, ConnectionError):
                pass  # the client refused us; its side of the story is what the test looks at

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        try:
            with (
                socket.create_connection(listener.getsockname()) as raw,
                client.wrap_socket(raw, server_hostname=host) as secured,
            ):
                return secured.version()
        finally:
            thread.join()


def strict_client(ca: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(ca))
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    return context


class TestFirstStart:
    @pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1", "vc.example.test", "192.0.2.7"])
    def test_a_strict_client_that_trusts_the_authority_completes_a_handshake(self, tmp_path: Path, host: str) -> None:
        files = ensure(tmp_path / "tls", "vc.example.test", "192.0.2.7")
        assert files.ca_certificate is not None
        assert handshake(files, strict_client(files.ca_certificate), host) == "TLSv1.3"

    def test_another_name_is_refused(self, tmp_path: Path) -> None:
        files = ensure(tmp_path)
        assert files.ca_certificate is not None
        with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
            handshake(files, strict_client(files.ca_certificate), "other.example.test")

    def test_another_installations_authority_is_not_trusted(self, tmp_path: Path) -> None:
        files, other = ensure(tmp_path / "one"), ensure(tmp_path / "two")
        assert other.ca_certificate is not None
        with pytest.raises(ssl.SSLCertVerificationError):
            handshake(files, strict_client(other.ca_certificate), "localhost")

    def test_openssl_finds_the_chain_in_order(self, tmp_path: Path) -> None:
        openssl = shutil.which("openssl")
        if openssl is None:
            pytest.skip("no openssl command here")
        files = ensure(tmp_path)
        command = [openssl, "verify", "-x509_strict", "-purpose", "sslserver", "-crl_check"]
        command += ["-CAfile", str(files.ca_certificate), "-CRLfile", str(files.ca_revocation_list)]
        verified = subprocess.run([*command, str(files.certificate)], capture_output=True, text=True, check=False)
        assert verified.returncode == 0, verified.stdout + verified.stderr

    def test_every_key_is_pkcs8_and_its_owners_alone(self, tmp_path: Path) -> None:
        ensure(tmp_path)
        for name in ("ca.key", "server.key"):
            key = tmp_path / name
            assert stat.S_IMODE(key.stat().st_mode) == 0o600
            assert key.read_bytes().startswith(b"-----BEGIN PRIVATE KEY-----")

    def test_the_certificate_says_what_it_is_for(self, tmp_path: Path) -> None:
        files = ensure(tmp_path)
        server = certificate(files.certificate)
        key = server.public_key()
        assert isinstance(key, ec.EllipticCurvePublicKey)
        assert key.curve.name == "secp256r1"
        assert server.not_valid_after_utc - server.not_valid_before_utc == timedelta(days=397)
        usage = server.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        assert list(usage) == [ExtendedKeyUsageOID.SERVER_AUTH]

    def test_names_are_covered_each_once(self, tmp_path: Path) -> None:
        files = ensure(tmp_path, "VC.example.test", "vc.example.test.", "[2001:db8::1]", "bücher.example", "localhost")
        names = dns_names(files.certificate)
        assert names[0] == "vc.example.test"
        assert {"xn--bcher-kva.example", "localhost"} <= set(names)
        assert len(names) == len(set(names))
        assert addresses(files.certificate) == ["2001:db8::1", "127.0.0.1", "::1"]

    def test_listening_everywhere_is_no_name(self, tmp_path: Path) -> None:
        files = ensure(tmp_path, "0.0.0.0", "::")
        assert addresses(files.certificate) == ["127.0.0.1", "::1"]

    @pytest.mark.parametrize("name", ["", "two words", "a..b", "https://vc.example.test/"])
    def test_what_is_no_name_is_an_error(self, tmp_path: Path, name: str) -> None:
        with pytest.raises(TlsError, match="neither a host name nor an address"):
            ensure(tmp_path, name)

    def test_a_directory_that_cannot_be_made_is_an_error(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("in the way")
        with pytest.raises(TlsError, match="cannot keep certificates"):
            ensure(tmp_path / "file" / "tls")

    def test_simultaneous_first_starts_agree(self, tmp_path: Path) -> None:
        def start(_: int) -> bytes:
            return ensure(tmp_path).certificate.read_bytes()

        with ThreadPoolExecutor(8) as pool:
            assert len(set(pool.map(start, range(16)))) == 1
        assert [path.name for path in tmp_path.iterdir() if path.name.endswith(".new")] == []


class TestLaterStart:
    def contents(self, directory: Path) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in sorted(directory.iterdir())}

    def test_nothing_changes_while_everything_is_good(self, tmp_path: Path) -> None:
        ensure(tmp_path, "vc.example.test")
        before = self.contents(tmp_path)
        ensure(tmp_path, now=NOW + timedelta(days=366))
        assert self.contents(tmp_path) == before

    @pytest.mark.parametrize(
        ("names", "later"),
        [
            pytest.param(["new.example.test"], timedelta(0), id="a name is not covered"),
            pytest.param([], timedelta(days=368), id="29 days before the end"),
            pytest.param([], timedelta(days=500), id="after the end"),
            pytest.param([], timedelta(days=-2), id="issued under a clock that ran ahead"),
        ],
    )
    def test_the_server_certificate_is_issued_anew_under_the_same_authority(
        self, tmp_path: Path, names: Sequence[str], later: timedelta
    ) -> None:
        files = ensure(tmp_path)
        before = self.contents(tmp_path)
        ensure(tmp_path, *names, now=NOW + later)
        after = self.contents(tmp_path)
        assert after["ca.pem"] == before["ca.pem"]
        assert after["server.pem"] != before["server.pem"]
        assert set(names) <= set(dns_names(files.certificate))

    @pytest.mark.parametrize("damage", ["server.pem", "server.key"])
    def test_a_damaged_or_foreign_server_certificate_is_mended(self, tmp_path: Path, damage: str) -> None:
        files = ensure(tmp_path / "tls")
        ensure(tmp_path / "other")
        for content in (b"", (tmp_path / "other" / damage).read_bytes()):
            (tmp_path / "tls" / damage).write_bytes(content)
            ensure(tmp_path / "tls")
            assert files.ca_certificate is not None
            assert handshake(files, strict_client(files.ca_certificate), "localhost") is not None

    def test_the_authority_ends_and_is_made_anew(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        ensure(tmp_path)
        before = self.contents(tmp_path)
        ensure(tmp_path, now=NOW + timedelta(days=3640))
        assert self.contents(tmp_path)["ca.pem"] != before["ca.pem"]
        assert "clients must trust the new one" in caplog.text

    def test_the_server_certificate_never_outlives_the_authority(self, tmp_path: Path) -> None:
        files = ensure(tmp_path)
        ensure(tmp_path, now=NOW + timedelta(days=3500))
        ends = certificate(files.certificate).not_valid_after_utc
        assert ends == certificate(tmp_path / "ca.pem").not_valid_after_utc

    def test_a_start_cut_short_before_the_key_was_written_begins_again(self, tmp_path: Path) -> None:
        ensure(tmp_path)
        (tmp_path / "ca.key").unlink()
        files = ensure(tmp_path)
        assert files.ca_certificate is not None
        assert handshake(files, strict_client(files.ca_certificate), "localhost") is not None

    @pytest.mark.parametrize("name", ["ca.pem", "ca.key"])
    def test_a_damaged_authority_is_never_replaced_in_silence(self, tmp_path: Path, name: str) -> None:
        ensure(tmp_path)
        (tmp_path / name).write_bytes(b"not PEM")
        with pytest.raises(TlsError, match=r"is damaged.*remove .*ca\.key"):
            ensure(tmp_path)

    def test_an_authority_of_two_halves_is_an_error(self, tmp_path: Path) -> None:
        ensure(tmp_path / "one")
        ensure(tmp_path / "two")
        shutil.copy(tmp_path / "one" / "ca.key", tmp_path / "two" / "ca.key")
        with pytest.raises(TlsError, match="is not the key of"):
            ensure(tmp_path / "two")

    def test_a_lost_revocation_list_is_written_again(self, tmp_path: Path) -> None:
        files = ensure(tmp_path)
        assert files.ca_revocation_list is not None
        files.ca_revocation_list.unlink()
        ensure(tmp_path)
        assert x509.load_pem_x509_crl(files.ca_revocation_list.read_bytes()).issuer == (
            certificate(tmp_path / "ca.pem").subject
        )


class TestGiven:
    @pytest.fixture
    def own(self, tmp_path: Path) -> TlsFiles:
        return ensure(tmp_path / "own")

    def given(self, tmp_path: Path, certificate: Path, key: Path, now: datetime = NOW) -> TlsFiles:
        return given_certificates(certificate, key, tmp_path / "tls", at(now))

    def write_key(
        self,
        path: Path,
        key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey,
        form: PrivateFormat,
        encryption: KeySerializationEncryption,
    ) -> Path:
        path.write_bytes(key.private_bytes(Encoding.PEM, form, encryption))
        path.chmod(0o600)
        return path

    def load(self, path: Path) -> ec.EllipticCurvePrivateKey:
        key = load_pem_private_key(path.read_bytes(), password=None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        return key

    def test_a_good_pair_is_served_as_it_is(self, tmp_path: Path, own: TlsFiles) -> None:
        files = self.given(tmp_path, own.certificate, own.key)
        assert files == TlsFiles(own.certificate, own.key, None, None)
        assert not (tmp_path / "tls").exists()

    def test_a_chain_may_follow_the_certificate(self, tmp_path: Path, own: TlsFiles) -> None:
        assert own.ca_certificate is not None
        chain = tmp_path / "chain.pem"
        chain.write_bytes(own.certificate.read_bytes() + own.ca_certificate.read_bytes())
        assert self.given(tmp_path, chain, own.key).certificate == chain

    def test_a_key_in_an_older_form_is_converted(self, tmp_path: Path, own: TlsFiles) -> None:
        old = self.write_key(
            tmp_path / "sec1.key", self.load(own.key), PrivateFormat.TraditionalOpenSSL, NoEncryption()
        )
        files = self.given(tmp_path, own.certificate, old)
        assert files.key.read_bytes().startswith(b"-----BEGIN PRIVATE KEY-----")
        assert stat.S_IMODE(files.key.stat().st_mode) == 0o600
        assert own.ca_certificate is not None
        assert handshake(files, strict_client(own.ca_certificate), "localhost") is not None

    def test_the_key_of_another_certificate(self, tmp_path: Path, own: TlsFiles) -> None:
        other = self.write_key(
            tmp_path / "rsa.key", rsa.generate_private_key(65537, 2048), PrivateFormat.PKCS8, NoEncryption()
        )
        with pytest.raises(TlsError, match=r"rsa\.key is not the key of the first certificate in .*server\.pem"):
            self.given(tmp_path, own.certificate, other)

    def test_an_encrypted_key(self, tmp_path: Path, own: TlsFiles) -> None:
        locked = self.write_key(
            tmp_path / "locked.key", self.load(own.key), PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")
        )
        with pytest.raises(TlsError, match=r"locked\.key is encrypted; .*openssl pkey -in"):
            self.given(tmp_path, own.certificate, locked)

    def test_a_file_that_is_not_there(self, tmp_path: Path, own: TlsFiles) -> None:
        with pytest.raises(TlsError, match=r"cannot read .*missing\.pem: No such file"):
            self.given(tmp_path, tmp_path / "missing.pem", own.key)
        with pytest.raises(TlsError, match=r"cannot read .*missing\.key: No such file"):
            self.given(tmp_path, own.certificate, tmp_path / "missing.key")

    def test_the_two_exchanged(self, tmp_path: Path, own: TlsFiles) -> None:
        with pytest.raises(TlsError, match=r"server\.key holds no PEM certificate"):
            self.given(tmp_path, own.key, own.certificate)
        with pytest.raises(TlsError, match=r"server\.pem holds no PEM private key"):
            self.given(tmp_path, own.certificate, own.certificate)

    @pytest.mark.parametrize(
        ("now", "said"),
        [
            pytest.param(NOW + timedelta(days=400), "expired on", id="expired"),
            pytest.param(NOW - timedelta(days=2), "is not valid before", id="not yet valid"),
        ],
    )
    def test_a_certificate_outside_its_dates_is_served_with_a_warning(
        self, tmp_path: Path, own: TlsFiles, caplog: pytest.LogCaptureFixture, now: datetime, said: str
    ) -> None:
        with caplog.at_level(logging.WARNING):
            self.given(tmp_path, own.certificate, own.key, now)
        assert said in caplog.text
