"""Calls a server by SAML tokens, of a bearer and of the holder of a key, as the official runtime signs for them."""

from __future__ import annotations

import base64
import json
import sys
from typing import Any

import com.vmware.cis_client as cis
import com.vmware.oauth2.errors_client as oauth
import com.vmware.vapi.std.errors_client as errors
import com.vmware.vcenter.authentication_client as authentication
import com.vmware.vcenter_client as vcenter
import requests
from vmware.vapi.lib.connect import get_requests_connector
from vmware.vapi.security.client.security_context_filter import LegacySecurityContextFilter
from vmware.vapi.security.oauth import create_oauth_security_context
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


def exchanged(given: dict[str, str]) -> dict[str, Any]:
    """What a bearer's token is exchanged for, and what that is good for."""
    context = create_saml_bearer_security_context(given["bearer"])
    tokens = authentication.Token(configuration(given, context))
    good = {
        "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
        "subject_token": base64.b64encode(given["bearer"].encode()).decode(),
        "subject_token_type": "urn:ietf:params:oauth:token-type:saml2",
    }
    issued = tokens.issue(authentication.Token.IssueSpec(**good))
    refused = []
    for field, value in (("grant_type", "password"), ("subject_token", "x"), ("scope", "x"), ("audience", "x")):
        try:
            tokens.issue(authentication.Token.IssueSpec(**{**good, field: value}))
        except (oauth.InvalidGrant, oauth.InvalidRequest, oauth.InvalidScope) as error:
            refused.append((type(error).__name__, str(error.error), field in error.error_description))
    return {
        "type": issued.token_type,
        "used": used(given, create_oauth_security_context(issued.access_token)),
        "refused": refused,
    }


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
        "exchanged": exchanged(given),
        "no key": used(given, create_saml_bearer_security_context(given["held"])),
    }
    sys.stdout.write(json.dumps(outcomes))


if __name__ == "__main__":
    main()
