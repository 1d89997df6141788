"""Events as CloudEvents 1.0 in requests of HTTP, structured or binary, and signed as Standard Webhooks has it.

The signature is over the id, the moment and the body: ``HMAC-SHA256(secret, "<id>.<timestamp>.<body>")``. In binary
mode the body is the event itself, which says all that the headers do.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from urllib.parse import quote

import msgspec

from resphere.contract.moments import wire_time
from resphere.events.heard import Heard
from resphere.events.infos import info, written
from resphere.events.webhooks import Mode

SPEC = "1.0"
PREFIX = "whsec_"
LEAST_SECRET_BYTES, MOST_SECRET_BYTES = 24, 64
TRACEPARENT = "traceparent"
"""The attribute of CloudEvents' extension for distributed tracing, and W3C's header."""
OF_VSPHERE = "com.vmware.vsphere."
"""What stands before vSphere's names of events."""


class Sent(msgspec.Struct, frozen=True):
    """Headers and body of one request, but for what depends on the moment."""

    id: str
    headers: tuple[tuple[str, str], ...]
    body: bytes


def attributes(heard: Heard, source: str) -> dict[str, str]:
    """The attributes of the event's context; of a call that was traced also its span."""
    found = info(heard)
    cause = heard.event.cause
    trace = {} if cause is None or cause.trace is None else {TRACEPARENT: cause.trace}
    return {
        "specversion": SPEC,
        "id": str(heard.number),
        "source": source,
        "type": found.type if found.type.startswith("resphere.") else OF_VSPHERE + found.type,
        "subject": found.object.id,
        "time": wire_time(found.time),
        **trace,
    }


def cloud_event(heard: Heard, source: str, mode: Mode) -> Sent:
    """The event as a CloudEvent; ``source`` is a reference (URI) that names this server."""
    found, body = attributes(heard, source), written(heard)
    if mode is Mode.BINARY:
        headers = [(f"ce-{name}", quote(value, safe=" !#$&'()*+,/:;=?@[]~")) for name, value in found.items()]
        return Sent(found["id"], (("content-type", "application/json"), *headers, *traced(found)), body)
    whole = {**found, "datacontenttype": "application/json", "data": msgspec.Raw(body)}
    headers = [("content-type", "application/cloudevents+json"), *traced(found)]
    return Sent(found["id"], tuple(headers), msgspec.json.encode(whole))


def traced(attributes: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """The header by which whoever takes an event goes on with the trace of the call that has caused it."""
    return ((TRACEPARENT, attributes[TRACEPARENT]),) if TRACEPARENT in attributes else ()


def signed(sent: Sent, secret: str, timestamp: int) -> Mapping[str, str]:
    """All headers, with those of the signature; ``timestamp`` in seconds of Unix time."""
    content = b"%b.%d.%b" % (sent.id.encode(), timestamp, sent.body)
    digest = hmac.digest(key_of(secret), content, hashlib.sha256)
    return {
        **dict(sent.headers),
        "webhook-id": sent.id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }


def new_secret(content: bytes) -> str:
    """A secret of these random bytes, as Standard Webhooks writes it."""
    return PREFIX + base64.b64encode(content).decode()


def key_of(secret: str) -> bytes:
    """The bytes of a secret.

    :raises ValueError: it is none.
    """
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        raise ValueError("it is not Base64") from None
    if not LEAST_SECRET_BYTES <= len(key) <= MOST_SECRET_BYTES:
        raise ValueError(f"it has {len(key)} bytes, not {LEAST_SECRET_BYTES} to {MOST_SECRET_BYTES}")
    return key
