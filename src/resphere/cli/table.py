"""All commands: a line each. A further one is a module of this package with a function ``add``, and a line here."""

from __future__ import annotations

import msgspec

ON_DATA = "on_data"
ON_SERVER = "remote.on_server"
"""The modules that run commands: those on data that are here, and those that speak to a server or need none."""
SERVERS, OBJECTS, CALLS, SERVING, DATA, HELP = (
    "Servers",
    "Objects of a server",
    "Anything else of a server",
    "A server of your own",
    "Its data directory, whether it runs or not (--data-dir)",
    "Help",
)


class Command(msgspec.Struct, frozen=True):
    """A command: what it is for, its module below this package, the group in which help shows it, and the module that
    runs it. ``noun`` is the one of ``remote.resources`` whose commands it has."""

    help: str
    module: str
    group: str
    runner: str = ON_DATA
    noun: str | None = None
    aliases: tuple[str, ...] = ()


def noun(help: str, name: str, *aliases: str) -> Command:
    """A command that is a noun."""
    return Command(help, "remote.commands", OBJECTS, ON_SERVER, name, aliases)


COMMANDS = {
    "login": Command("log in at a server, and choose it", "remote.login", SERVERS, ON_SERVER),
    "logout": Command("end the session at a server, and forget it", "remote.login", SERVERS, ON_SERVER),
    "contexts": Command("the servers you work with", "remote.login", SERVERS, ON_SERVER),
    "vm": noun("virtual machines", "vm", "vms"),
    "host": noun("hosts", "host", "hosts"),
    "cluster": noun("clusters", "cluster", "clusters"),
    "datacenter": noun("datacenters", "datacenter", "datacenters"),
    "folder": noun("folders", "folder", "folders"),
    "datastore": noun("datastores", "datastore", "datastores"),
    "network": noun("networks", "network", "networks"),
    "pool": noun("resource pools", "pool", "pools"),
    "tag": noun("tags", "tag", "tags"),
    "category": noun("categories of tags", "category", "categories"),
    "library": noun("content libraries", "library", "libraries"),
    "item": noun("items of a content library", "item", "items"),
    "task": noun("tasks", "task", "tasks"),
    "sessions": noun("open sessions", "sessions"),
    "users": noun("local users", "users"),
    "roles": noun("roles", "roles"),
    "events": noun("what has happened", "events"),
    "call": Command("call any operation of the contract", "remote.calling", CALLS, ON_SERVER),
    "api": Command("send any request of HTTP", "remote.calling", CALLS, ON_SERVER),
    "serve": Command("run the server", "serving", SERVING),
    "run": Command("run a command with a server of its own", "run", SERVING),
    "doctor": Command("say what is wrong: data directory, port, certificate, provider", "doctor", SERVING),
    "coverage": Command("which operations are implemented", "coverage", SERVING),
    "backup": Command("write all that a server keeps to a file, while it runs", "backup", DATA),
    "restore": Command("make a data directory what it was when a backup was made", "backup", DATA),
    "inventory": Command("write the inventory to a file", "inventory", DATA),
    "secrets": Command("the key by which secrets are encrypted", "secrets", DATA),
    "user": Command("local accounts (of a running server: users)", "user", DATA),
    "group": Command("local groups", "group", DATA),
    "session": Command("open sessions (of a running server: sessions)", "session", DATA),
    "token": Command("API tokens", "token", DATA),
    "role": Command("roles: named sets of privileges (of a running server: roles)", "role", DATA),
    "permission": Command("permissions: who has which role where", "permission", DATA),
    "audit": Command("the audit log", "audit", DATA),
    "faults": Command("rules by which calls fail on purpose", "faults", DATA),
    "identity": Command("directories and identity providers", "identity", DATA),
    "completion": Command("completion for bash, zsh and fish", "remote.completion", HELP, ON_SERVER),
}
