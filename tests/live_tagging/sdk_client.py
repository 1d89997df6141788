"""Run by the tests in an interpreter that has the official bindings: a script as the SDK's own samples are.

Arguments: the server's address, its CA, user and password. Prints one JSON object of what it saw.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import requests
from com.vmware.cis.tagging_client import Category, CategoryModel, Tag, TagAssociation
from com.vmware.cis_client import Session
from com.vmware.vapi.std.errors_client import AlreadyExists, InvalidArgument, NotFound, Unauthorized
from com.vmware.vapi.std_client import DynamicID
from com.vmware.vcenter.tagging_client import Associations
from com.vmware.vcenter_client import VM
from vmware.vapi.lib.connect import get_requests_connector
from vmware.vapi.security.session import create_session_security_context
from vmware.vapi.security.user_password import create_user_password_security_context
from vmware.vapi.stdlib.client.factories import StubConfigurationFactory


def refusal(call: Any, expected: Any) -> str:
    """The message id of the error that ``call`` must raise."""
    try:
        call()
    except expected as error:
        return str(error.messages[0].id)
    raise AssertionError(f"no {expected} was raised")


def connected(url: str, ca: str, user: str, password: str) -> Any:
    """The configuration of a logged-in client."""
    http = requests.Session()
    http.trust_env = False
    http.verify = ca
    connector = get_requests_connector(session=http, url=f"{url}/api")
    connector.set_security_context(create_user_password_security_context(user, password))
    configuration = StubConfigurationFactory.new_std_configuration(connector)
    session_id = Session(configuration).create()
    connector.set_security_context(create_session_security_context(session_id))
    return configuration


def main(url: str, ca: str, user: str, password: str) -> dict[str, Any]:
    """Use tags as an administrator does."""
    configuration = connected(url, ca, user, password)
    categories, tags, associations = Category(configuration), Tag(configuration), TagAssociation(configuration)
    seen: dict[str, Any] = {}
    spec = categories.CreateSpec(
        name="sdk", description="", cardinality=CategoryModel.Cardinality.SINGLE, associable_types={"VirtualMachine"}
    )
    category = categories.create(spec)
    try:
        seen["taken"] = refusal(lambda: categories.create(spec), AlreadyExists)
        model = categories.get(category)
        seen["category"] = [model.name, model.cardinality, sorted(model.associable_types), sorted(model.used_by)]
        one, two = (
            tags.create(tags.CreateSpec(name=name, description="", category_id=category)) for name in ("one", "two")
        )
        seen["tags"] = sorted(tags.get(tag).name for tag in tags.list_tags_for_category(category))
        vms = [DynamicID(type="VirtualMachine", id=vm.vm) for vm in VM(configuration).list()[:2]]
        associations.attach(one, vms[0])
        seen["single"] = refusal(lambda: associations.attach(two, vms[0]), InvalidArgument)
        result = associations.attach_tag_to_multiple_objects(two, vms)
        seen["batch"] = [result.success, [message.id for message in result.error_messages]]
        shown = associations.list_attached_tags_on_objects(vms)
        seen["attached"] = [[{one: "one", two: "two"}[tag] for tag in each.tag_ids] for each in shown]
        gone = DynamicID(type="VirtualMachine", id="vm-999999")
        seen["gone"] = refusal(lambda: associations.list_attached_tags(gone), Unauthorized)
        page = Associations(configuration).list()
        seen["page"] = [page.status, sorted(each.object.id for each in page.associations) == sorted(v.id for v in vms)]
    finally:
        categories.delete(category)
    seen["deleted"] = refusal(lambda: tags.get(one), NotFound)
    return seen


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(*sys.argv[1:])))
