"""Operations by the names of their services, and the stubs that tell them to type checkers."""

from __future__ import annotations

import inspect
import subprocess
import sys
import typing

import pytest

from resphere.client import AsyncClient, Client
from resphere.client.services import all_services
from resphere.contract.generated.vcenter import VM
from tools.client.__main__ import FOLDER
from tools.client.stubs import class_name, stubs

CLIENT = Client("vc.example.com", session_id="s")


def test_the_stubs_are_those_of_the_contract() -> None:
    present = {path.name: path.read_text() for path in FOLDER.glob("*.pyi")}
    assert stubs() == present, "make docs writes them anew"


@pytest.mark.parametrize(("client", "module"), [(Client, "blocking"), (AsyncClient, "awaited")])
def test_both_clients_say_where_services_begin(client: type, module: str) -> None:
    expected = {name: f"{module}.{class_name(name)}" for name in all_services().children}
    assert client.__annotations__ == expected


def test_both_clients_have_the_same_methods() -> None:
    def signatures(cls: type) -> dict[str, list[str]]:
        functions = inspect.getmembers(cls, inspect.isfunction)
        return {name: list(inspect.signature(each).parameters) for name, each in functions if name[0] != "_"}

    assert signatures(Client) == signatures(AsyncClient)
    assert inspect.signature(Client).parameters.keys() == inspect.signature(AsyncClient).parameters.keys()


def test_what_there_is_can_be_looked_at() -> None:
    assert {"vcenter", "resphere", "call", "wait"} <= set(dir(CLIENT))
    assert {"list", "power", "hardware", "clone_task"} <= set(dir(CLIENT.vcenter.vm))
    assert repr(CLIENT.vcenter.vm) == "<service vcenter.vm>"
    method: typing.Any = CLIENT.vcenter.vm.clone_task
    assert list(inspect.signature(method).parameters) == ["spec"]
    assert method.operation is VM.clone_task
    assert repr(method).startswith("<com.vmware.vcenter.VM.clone$task(spec:")


def test_what_there_is_not() -> None:
    for path in ("__wrapped__", "_hidden"):
        assert not hasattr(CLIENT, path)
        assert not hasattr(CLIENT.vcenter, path)
    assert not hasattr(object.__new__(Client), "_calls")
    with pytest.raises(AttributeError, match=r"no operation or service vcenter\.hosst; did you mean host"):
        getattr(CLIENT.vcenter, "hosst")  # noqa: B009 - what type checkers refuse


def test_importing_the_client_imports_little() -> None:
    listed = "import sys, resphere.client; print(*(name for name in sys.modules if name.startswith('resphere.')))"
    done = subprocess.run([sys.executable, "-c", listed], capture_output=True, text=True, check=True)
    names = set(done.stdout.split())
    assert not {
        name for name in names if name.startswith(("resphere.server", "resphere.dialects", "resphere.services"))
    }
    assert not {name for name in names if name.startswith("resphere.contract.extensions")}
    assert len([name for name in names if name.startswith("resphere.contract.generated")]) < 10
