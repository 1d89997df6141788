"""OVF packages to send: descriptors, manifests, signatures, archives."""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Mapping
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
BEGIN, END = datetime(2020, 1, 1, tzinfo=UTC), datetime(2040, 1, 1, tzinfo=UTC)


def descriptor(*names: str) -> bytes:
    """A descriptor of a machine with those files."""
    files = "".join(f'<File ovf:id="file{number}" ovf:href="{name}"/>' for number, name in enumerate(names))
    return (
        '<Envelope xmlns="http://schemas.dmtf.org/ovf/envelope/1" xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1">'
        f'<References>{files}</References><VirtualSystem ovf:id="vm"><Info/></VirtualSystem></Envelope>'
    ).encode()


def one_disk(name: str) -> bytes:
    """A descriptor of a machine with a disk of 1 MiB, which is that file."""
    items = "".join(
        f"<Item>{''.join(f'<rasd:{key}>{value}</rasd:{key}>' for key, value in item.items())}</Item>"
        for item in (
            {"InstanceID": 1, "ResourceSubType": "lsilogic", "ResourceType": 6},
            {"AddressOnParent": 0, "HostResource": "ovf:/disk/d", "InstanceID": 2, "Parent": 1, "ResourceType": 17},
        )
    )
    return (
        '<Envelope xmlns="http://schemas.dmtf.org/ovf/envelope/1" xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1"'
        ' xmlns:rasd="http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ResourceAllocationSettingData">'
        f'<References><File ovf:id="f" ovf:href="{name}"/></References>'
        '<DiskSection><Info/><Disk ovf:diskId="d" ovf:fileRef="f" ovf:capacity="1048576"/></DiskSection>'
        '<VirtualSystem ovf:id="vm"><Info/>'
        f"<VirtualHardwareSection><Info/>{items}</VirtualHardwareSection></VirtualSystem></Envelope>"
    ).encode()


def manifest(files: Mapping[str, bytes], algorithm: str = "SHA256") -> bytes:
    """The manifest of those files."""
    return "".join(
        f"{algorithm}({name})= {hashlib.new(algorithm, data).hexdigest()}\n" for name, data in files.items()
    ).encode()


def issued(
    subject: str,
    key: Key | ed25519.Ed25519PrivateKey,
    issuer: str,
    issuer_key: Key,
    *,
    begin: datetime = BEGIN,
    end: datetime = END,
    is_authority: bool = False,
) -> x509.Certificate:
    """A certificate of ``subject`` by ``issuer``."""

    def name(common: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])

    builder = (
        x509.CertificateBuilder()
        .subject_name(name(subject))
        .issuer_name(name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(is_authority, None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )
    return builder.sign(issuer_key, hashes.SHA256())


def signed(
    key: Key,
    *certificates: x509.Certificate,
    manifest: bytes,
    name: str = "a.mf",
    algorithm: hashes.HashAlgorithm | None = None,
) -> bytes:
    """The certificate file of a manifest."""
    algorithm = algorithm or hashes.SHA256()
    if isinstance(key, rsa.RSAPrivateKey):
        signature = key.sign(manifest, padding.PKCS1v15(), algorithm)
    else:
        signature = key.sign(manifest, ec.ECDSA(algorithm))
    pem = b"".join(each.public_bytes(Encoding.PEM) for each in certificates)
    return f"{algorithm.name.upper()}({name})= {signature.hex()}\n".encode() + pem


def archive(files: Mapping[str, bytes]) -> bytes:
    """An archive of the files, in their order."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return content.getvalue()
