"""The file of identity sources: what is wrong in it is named with its place; what it declares is what there is."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

import pytest
import yaml

from resphere.auth.ldap.settings import LdapSource
from resphere.auth.oidc.providers import IdentityProvider
from resphere.auth.sessions import Session
from resphere.auth.wiring import WIRING
from resphere.replica.replica import Replica
from resphere.replica.sealing import KEY_BYTES, Sealing
from resphere.server.identity_sources import IdentitySourcesError, declare, read_sources
from tests.replica.worlds import put, run
from tests.support.world import NOW

DIRECTORY = {
    "name": "corp",
    "domain": "corp.example.com",
    "servers": ["ldaps://dc1.corp.example.com"],
    "users_base_dn": "dc=corp,dc=example,dc=com",
    "groups_base_dn": "dc=corp,dc=example,dc=com",
    "bind_name": "reader@corp.example.com",
    "bind_password_file": "password",
}
PROVIDER = {
    "name": "idp",
    "discovery_endpoint": "https://idp.example.com/.well-known/openid-configuration",
    "client_id": "resphere",
}


def written(folder: Path, text: str) -> Path:
    """A file with what its entries name."""
    (folder / "password").write_text("secret\nnot this\n")
    (folder / "empty").write_text("")
    path = folder / "sources.yaml"
    path.write_text(text)
    return path


def directory(**given: Any) -> str:
    """The text of a file with one directory, from its third line on."""
    return yaml.safe_dump({"providers": [], "directories": [DIRECTORY | given]}, sort_keys=False)


def provider(**given: Any) -> str:
    """The text of a file with one provider."""
    return yaml.safe_dump({"providers": [PROVIDER | given]}, sort_keys=False)


def test_what_a_file_declares(tmp_path: Path) -> None:
    both = yaml.safe_dump({"directories": [DIRECTORY], "providers": [PROVIDER | {"groups": {"a": ["b"]}}]})
    source, idp = read_sources(written(tmp_path, both))
    assert isinstance(source, LdapSource)
    assert (source.directory.bind_password, source.declared) == ("secret", True)
    assert isinstance(idp, IdentityProvider)
    assert (idp.claim_map, idp.declared) == ({"perms": {"a": ("b",)}}, True)
    assert read_sources(written(tmp_path, both))[1].id == idp.id
    assert read_sources(written(tmp_path, "")) == ()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("providers: 5", "providers must be a list"),
        ("- x", "the file must have keys with values"),
        ("directory: []", "there is no key directory; did you mean directories?"),
        ("providers: [", "line 2: this is not YAML"),
        ("providers:\n- 5\n", r"line 2: providers\[0\]: it must have keys"),
        (directory(server="x"), r"line 3: directories\[0\]: there is no key server in it; did you mean servers"),
        (directory(domain="vsphere.local"), r"line 3: directories\[0\]: domain must be a domain other than"),
        (directory(servers=[]), r"line 3: directories\[0\]: servers must be from 1"),
        (directory(type="windows"), r"line 3: directories\[0\]: Invalid enum value 'windows' - at `\$.type`"),
        (directory(name="a@b"), r"line 3: directories\[0\]: name must not be empty"),
        (directory(bind_password_file="empty"), r"directories\[0\]: .*empty: the first line is empty"),
        (directory(bind_password_file="none"), r"directories\[0\]: .*none: No such file or directory"),
        (directory(bind_password_file=None), r"directories\[0\]: bind_name needs a name, and a password"),
        (directory(ca_file="password"), r"directories\[0\]: ca must be certificates"),
        (provider(discovery_endpoint="http://idp.example.com/"), r"line 2: providers\[0\]: discovery_endpoint must be"),
        (provider(algorithms=["HS256"]), r"providers\[0\]: algorithms must be some of .*, not HS256"),
        (provider(algorithms=["none"]), r"providers\[0\]: algorithms must be some of .*, not none"),
        (provider(clock_skew_seconds=601), r"providers\[0\]: clock_skew_seconds must be from 0 to 600, not 601"),
        (provider(domain_names=["vsphere.local"]), r"providers\[0\]: domain_names must be domains other than"),
        (provider(client_id=""), r"providers\[0\]: client_id must have from 1"),
        (yaml.safe_dump({"providers": [PROVIDER, dict(PROVIDER)]}), r"line 5: providers\[1\]: the name is that of"),
        (
            yaml.safe_dump({"directories": [DIRECTORY, DIRECTORY | {"name": "other"}]}),
            r"directories\[1\]: the domain corp.example.com is that of directories\[0\] too",
        ),
    ],
)
def test_what_is_wrong_is_named(text: str, why: str, tmp_path: Path) -> None:
    with pytest.raises(IdentitySourcesError, match=why) as refusal:
        read_sources(written(tmp_path, text))
    assert str(refusal.value).startswith(f"identity sources {tmp_path / 'sources.yaml'}: ")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(IdentitySourcesError, match="No such file or directory"):
        read_sources(tmp_path / "none")


def test_declaring_again_changes_what_has_changed(tmp_path: Path) -> None:
    sealing = Sealing(bytes(KEY_BYTES), secrets.token_bytes)

    def session(id: str, source: str | None) -> Session:
        return Session(id=id, user="a", created_time=NOW, last_accessed_time=NOW, source=source)

    async def test(replica: Replica) -> None:
        first = read_sources(written(tmp_path, directory()))
        await declare(replica, first)
        await replica.change(put(session("1", "corp"), session("2", None)))
        before = replica.sequence
        await declare(replica, read_sources(written(tmp_path, directory())))
        assert replica.sequence == before
        await declare(replica, read_sources(written(tmp_path, directory(alias="CORP"))))
        assert set(replica.all(Session)) == {"2"}
        assert replica.all(LdapSource)["corp"].alias == "corp"
        await declare(replica, ())
        assert not replica.all(LdapSource)

    run(test, tmp_path / "store", tables=WIRING.tables, sealing=sealing)


def test_what_the_api_has_made_is_not_declared_over(tmp_path: Path) -> None:
    sealing = Sealing(bytes(KEY_BYTES), secrets.token_bytes)

    async def test(replica: Replica) -> None:
        [made] = read_sources(written(tmp_path, directory()))
        assert isinstance(made, LdapSource)
        await replica.change(put(LdapSource(id="corp", domain="corp.example.com", directory=made.directory)))
        with pytest.raises(ValueError, match="corp is there already, made by the API"):
            await declare(replica, (made,))
        other = read_sources(written(tmp_path, directory(name="other")))
        with pytest.raises(ValueError, match=r"corp\.example\.com is the domain of corp, made by the API"):
            await declare(replica, other)

    run(test, tmp_path / "store", tables=WIRING.tables, sealing=sealing)
