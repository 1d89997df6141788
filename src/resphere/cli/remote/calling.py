"""``resphere call`` and ``resphere api``: any operation of the contract, and any request."""

from __future__ import annotations

import argparse
import fnmatch
import json
import sys
from pathlib import Path
from typing import Any, TypeAlias

from resphere.cli.arguments import Parser
from resphere.cli.exits import Ended, Exit
from resphere.cli.remote.acting import merge
from resphere.cli.remote.chosen import add_server
from resphere.cli.remote.connection import connected, plain
from resphere.cli.remote.failing import status_of, told
from resphere.cli.remote.inputs import MOST_SHOWN, leaves, put, read_document, typed
from resphere.cli.remote.operations import VMWARE, all_ids, named
from resphere.cli.remote.output import add_output, lines, show
from resphere.client.replies import failure_in
from resphere.contract.model import AnyOperation, ByteStream

Commands: TypeAlias = "argparse._SubParsersAction[Parser]"
OPERATIONS = "operations"
"""What ids of operations complete."""
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")


def add(commands: Commands) -> None:
    """The commands of this module."""
    add_call(commands)
    add_api(commands)


def add_call(commands: Commands) -> None:
    """``call``."""
    made = commands.add_parser(
        "call",
        help="call any operation of the contract",
        description="Call any operation of the contract, such as vcenter.VM.list; com.vmware. may be left out.",
    )
    made.add_argument("operation", metavar="SERVICE.OPERATION", help="the operation; with --list a glob")
    made.completions["operation"] = OPERATIONS
    made.add_argument(
        "--arg",
        action="append",
        default=[],
        metavar="PATH=VALUE",
        dest="arguments",
        help="a place in its input, such as vm=vm-12 or spec.cpu.count=4; lists and structures also as JSON (repeat)",
    )
    made.add_argument(
        "--input", metavar="FILE", help="its whole input, as JSON or YAML; - reads it from standard input"
    )
    made.add_argument("--describe", action="store_true", help="say what it takes, and call nothing")
    made.add_argument(
        "--list", action="store_true", dest="list_operations", help="list the operations that the glob means"
    )
    made.add_argument("--dry-run", action="store_true", help="check the input and show it, and call nothing")
    add_output(made)
    add_server(made)
    made.set_defaults(run=call, output="json")


def add_api(commands: Commands) -> None:
    """``api``."""
    made = commands.add_parser(
        "api",
        help="send any request of HTTP",
        description="Send a request within the session, and print the answer: resphere api GET /api/vcenter/vm",
    )
    made.add_argument("method", metavar="METHOD", type=method, help=", ".join(METHODS))
    made.add_argument("path", help="with its query, such as '/api/vcenter/vm?names=web-01'")
    made.add_argument("--data", metavar="JSON", help="the body; @FILE takes a file, - standard input")
    made.add_argument("-i", "--include", action="store_true", help="print the status and the headers too")
    add_server(made)
    made.set_defaults(run=api)


def method(text: str) -> str:
    """A method of HTTP."""
    if text.upper() not in METHODS:
        raise argparse.ArgumentTypeError(f"there is no method {text}, there are {', '.join(METHODS)}")
    return text.upper()


def call(options: argparse.Namespace) -> int:
    """Call an operation, list some, or tell what one takes."""
    if options.list_operations:
        return list_operations(options.operation)
    called = named(options.operation)
    if options.describe:
        return described(called)
    input: dict[str, Any] = {}
    if options.input is not None:
        merge(input, read_document(options.input, sys.stdin.read() if options.input == "-" else None))
    for text in options.arguments:
        path, equals, value = text.partition("=")
        try:
            if not equals:
                raise ValueError(f"{text}: this is not PATH=VALUE")
            put(input, called.input, path, value)
        except ValueError as error:
            raise Ended(f"--arg {error}", Exit.CALLED_WRONGLY) from None
    if called.takes_stream:
        raise Ended(f"{called.id} takes a stream of bytes; `resphere api` sends them", Exit.CALLED_WRONGLY)
    made = typed(called.input, input, {})
    if options.dry_run:
        show({"operation": called.id, "input": plain(made)}, options.output)
        return 0
    with connected(options) as connection:
        if called.output in (ByteStream, bytes):
            for piece in connection.stream(called, made):
                sys.stdout.buffer.write(piece)
            sys.stdout.buffer.flush()
            return 0
        result = plain(connection.invoke(called, made))
    if result is not None:
        show(result, options.output)
    return 0


def list_operations(glob: str) -> int:
    """List the operations that a glob means, with ``com.vmware.`` or without."""
    wanted = glob.casefold()
    ids = [
        id for id in all_ids() if any(fnmatch.fnmatchcase(n.casefold(), wanted) for n in (id, id.removeprefix(VMWARE)))
    ]
    lines(ids, sys.stdout)
    return Exit.DONE if ids else Exit.NOT_FOUND


def described(called: AnyOperation) -> int:
    """Tell what an operation takes and is."""
    route = called.api or called.rest
    print(called.id)
    if route is not None:
        query = "&".join(key if value is None else f"{key}={value}" for key, value in route.dispatch)
        print(f"  {route.method} {route.path}{'?' if query else ''}{query}")
    print(f"  releases: {', '.join(called.releases)}")
    if called.privileges:
        print(f"  privileges: {', '.join(sorted({each for need in called.privileges for each in need.privileges}))}")
    print("  arguments:" if called.input.__struct_fields__ else "  no arguments")
    for leaf in leaves(called.input):
        marks = (" (list)" if leaf.many else "") + (" (required)" if leaf.required else "")
        choices = f": {', '.join(leaf.choices)}" if 0 < len(leaf.choices) <= MOST_SHOWN else ""
        print(f"    {leaf.dotted}{marks}  {leaf.words}{choices}")
    return 0


def api(options: argparse.Namespace) -> int:
    """Send a request; a refusal is printed as it is, and told by the status."""
    content = None if options.data is None else body(options.data)
    with connected(options) as connection:
        response = connection.request(options.method, options.path, content)
    if options.include:
        print(f"HTTP {response.status}")
        lines((f"{name}: {value}" for name, value in response.headers.items()), sys.stdout)
        print()
    sys.stdout.flush()
    write_body(response.content, response.headers.get("content-type", ""))
    if response.status < 400:
        return Exit.DONE
    failure = failure_in(response)
    words = f"{told(failure)}" if failure is not None else "refused"
    print(f"{options.command}: HTTP {response.status}: {words}", file=sys.stderr)
    return status_of(failure) if failure is not None else Exit.FAILED


def write_body(content: bytes, media_type: str) -> None:
    """Write the body: JSON so that people can read it, everything else as it is."""
    if "json" in media_type and content:
        content = json.dumps(json.loads(content), indent=2, ensure_ascii=False).encode() + b"\n"
    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()


def body(text: str) -> bytes:
    """The body that a flag means."""
    if text == "-":
        return sys.stdin.buffer.read()
    return Path(text[1:]).read_bytes() if text.startswith("@") else text.encode()
