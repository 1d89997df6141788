"""Calls a server by SAML tokens, of a bearer and of the holder of a key, as the official runtime signs for them."""

from __future__ import annotations

import json
import sys
from typing import Any

import com.vmware.cis_client as cis
import com.vmware.vapi.std.errors_client as errors
import com.vmware.vcenter_client as vcenter
import requests
from vmware.vapi.lib.connect import get_requests_connector
from vmware.vapi.security.client.security_context_filter import LegacySecurityContextFilter
from vmware.vapi.security.session import create_session_security_context
from vmware.vapi.security.sso import create_saml_bearer_security_context, create_saml_security_context
from vmware.vapi.stdlib.client.factories import StubConfigurationFactory
from vmware.vapi.vsphere.client import create_vsphere_client


def configuration(given: dict[str, str], context: Any) -> Any:
    """A stub configuration with a security context."""
    session = requests.Session()
    session.verify = given["ca"]
    chain = [LegacySecurityContextFilter(security_context=context)]
    connector = get_requests_connector(
        session=session, url=f"https://{given['server']}/api", provider_filter_chain=chain
    )
    return StubConfigurationFactory.new_std_configuration(connector)


def used(given: dict[str, str], context: Any) -> dict[str, Any]:
    """What the context is good for: a session, and a call without one."""
    stubs = configuration(given, context)
    filtered = vcenter.VM.FilterSpec(names={"no such machine \u00e4\u20ac\U0001f600"})
    try:
        token = cis.Session(stubs).create()
        session = cis.Session(configuration(given, create_session_security_context(token)))
        user = session.get().user
        session.delete()
        return {
            "user": user,
            "machines": len(vcenter.VM(stubs).list()),
            "filtered": len(vcenter.VM(stubs).list(filtered)),
        }
    except errors.Unauthenticated as error:
        return {"refused": error.messages[0].id, "challenge": error.challenge}


def client(given: dict[str, str], **shown: str) -> dict[str, Any]:
    """What the SDK's own client sees that logs in so."""
    session = requests.Session()
    session.verify = given["ca"]
    made = create_vsphere_client(given["server"], session=session, **shown)
    return {"machines": len(made.vcenter.VM.list())}


def main() -> None:
    """What came of each context."""
    given = json.load(sys.stdin)
    outcomes = {
        "client of a bearer": client(given, bearer_token=given["bearer"]),
        "client of a holder": client(given, hok_token=given["held"], private_key=given["key"]),
        "bearer": used(given, create_saml_bearer_security_context(given["bearer"])),
        "altered": used(
            given, create_saml_bearer_security_context(given["bearer"].replace("dministrator", "dministratos"))
        ),
        "holder": used(given, create_saml_security_context(given["held"], given["key"])),
        "another key": used(given, create_saml_security_context(given["held"], given["other_key"])),
        "no key": used(given, create_saml_bearer_security_context(given["held"])),
    }
    sys.stdout.write(json.dumps(outcomes))


if __name__ == "__main__":
    main()
