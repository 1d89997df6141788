"""Messages to the STS, written by hand and signed by RSA alone, without the library that verifies them."""

from __future__ import annotations

import base64
import hashlib
import re
from datetime import datetime, timedelta

import msgspec
from lxml import etree

from tests.support.saml import Party

WST = "http://docs.oasis-open.org/ws-sx/ws-trust/200512"
WST14 = "http://docs.oasis-open.org/ws-sx/ws-trust/200802"
SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
_WSS = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-"
WSSE = f"{_WSS}wssecurity-secext-1.0.xsd"
WSU = f"{_WSS}wssecurity-utility-1.0.xsd"
X509_TOKEN = f"{_WSS}x509-token-profile-1.0#X509v3"
DSIG = "http://www.w3.org/2000/09/xmldsig#"
EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
MORE = "http://www.w3.org/2001/04/xmldsig-more#"
SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
BEARER, PUBLIC_KEY = f"{WST}/Bearer", f"{WST}/PublicKey"


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """A message at ``moment``: ``kind`` with the elements ``content``, from a user with a password, or with ``token``
    in its header; signed by ``signer``, whose certificate goes along unless ``token_signs``.
    """

    moment: datetime
    kind: str = "Issue"
    content: str = ""
    user: str | None = None
    password: str | None = None
    token: str = ""
    signer: Party | None = None
    token_signs: bool = False
    validity: timedelta = timedelta(minutes=1)

    @property
    def text(self) -> str:
        """The whole envelope."""
        timestamp = (
            f'<wsu:Timestamp xmlns:wsu="{WSU}" wsu:Id="_time"><wsu:Created>{written(self.moment)}</wsu:Created>'
            f"<wsu:Expires>{written(self.moment + self.validity)}</wsu:Expires></wsu:Timestamp>"
        )
        body = (
            f'<soap:Body xmlns:soap="{SOAP}" xmlns:wsu="{WSU}" wsu:Id="_body">'
            f'<wst:RequestSecurityToken xmlns:wst="{WST}">'
            f"<wst:RequestType>{WST}/{self.kind}</wst:RequestType>{self.content}</wst:RequestSecurityToken></soap:Body>"
        )
        security = timestamp + self._credentials() + self.token
        if self.signer is not None:
            security += self._signature(self.signer, timestamp, body)
        return (
            f'<soap:Envelope xmlns:soap="{SOAP}"><soap:Header><wsse:Security xmlns:wsse="{WSSE}">{security}'
            f"</wsse:Security></soap:Header>{body}</soap:Envelope>"
        )

    def _credentials(self) -> str:
        if self.user is None:
            return ""
        return (
            f"<wsse:UsernameToken><wsse:Username>{self.user}</wsse:Username>"
            f"<wsse:Password>{self.password}</wsse:Password></wsse:UsernameToken>"
        )

    def _signature(self, signer: Party, timestamp: str, body: str) -> str:
        references = reference("_time", timestamp) + reference("_body", body)
        information = (
            f'<ds:SignedInfo xmlns:ds="{DSIG}">'
            f'<ds:CanonicalizationMethod Algorithm="{EXCLUSIVE}"></ds:CanonicalizationMethod>'
            f'<ds:SignatureMethod Algorithm="{MORE}rsa-sha256"></ds:SignatureMethod>{references}</ds:SignedInfo>'
        )
        value = signer.sign(information.encode())
        binary, key = "", ""
        if not self.token_signs:
            certificate = base64.b64encode(signer.der).decode()
            binary = (
                f'<wsse:BinarySecurityToken xmlns:wsu="{WSU}" ValueType="{X509_TOKEN}" wsu:Id="_cert">{certificate}'
                "</wsse:BinarySecurityToken>"
            )
            key = (
                '<ds:KeyInfo><wsse:SecurityTokenReference><wsse:Reference URI="#_cert"/></wsse:SecurityTokenReference>'
                "</ds:KeyInfo>"
            )
        return (
            f'{binary}<ds:Signature xmlns:ds="{DSIG}" Id="_signature">{information}'
            f"<ds:SignatureValue>{value}</ds:SignatureValue>{key}</ds:Signature>"
        )


def reference(identity: str, content: str) -> str:
    """What is signed of a message."""
    canonical = etree.tostring(etree.fromstring(content), method="c14n", exclusive=True)
    digest = base64.b64encode(hashlib.sha256(canonical).digest()).decode()
    return (
        f'<ds:Reference URI="#{identity}"><ds:Transforms><ds:Transform Algorithm="{EXCLUSIVE}"></ds:Transform>'
        f'</ds:Transforms><ds:DigestMethod Algorithm="{SHA256}"></ds:DigestMethod>'
        f"<ds:DigestValue>{digest}</ds:DigestValue></ds:Reference>"
    )


def written(moment: datetime) -> str:
    """A moment, in UTC, to the millisecond."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def element(name: str, text: str) -> str:
    """An element of the request."""
    return f"<wst:{name}>{text}</wst:{name}>"


def lifetime(created: datetime, expires: datetime) -> str:
    """The lifetime that is asked for."""
    times = f"<wsu:Created>{written(created)}</wsu:Created><wsu:Expires>{written(expires)}</wsu:Expires>"
    return f"<wst:Lifetime>{times}</wst:Lifetime>"


def acting(token: str) -> str:
    """For whom the token is to be, in the later namespace of WS-Trust."""
    return f'<w:ActAs xmlns:w="{WST14}">{token}</w:ActAs>'


def token_of(reply: str) -> str:
    """The token in an answer of the STS, as it stands there."""
    found = re.search(r"<wst:RequestedSecurityToken>(.*)</wst:RequestedSecurityToken>", reply, re.S)
    assert found is not None, reply
    return found[1]
