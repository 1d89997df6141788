"""``python -m tools.mentions``: messages name objects by mentions; this finds those that put names into words.

The name or id of an object of the inventory in a message is a :class:`~resphere.contract.mentions.Mention`, so that
nobody reads of objects that they may not know of. What is called ``.name`` or ``.id`` among the arguments of a message
and is none must be of :data:`NO_OBJECTS`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from tools.telling import tell

SOURCES = Path(__file__).parents[1] / "src" / "resphere"
MESSAGES = ("message", "vim_message", "worded")
"""The functions that make messages; their first two arguments are the id and the text."""
MENTIONS = ("Mention", "described", "identified", "identified_all", "named", "qualified")
"""The functions that make mentions."""
WORDS = ("id", "name")

NO_OBJECTS = (
    # What the caller has said.
    "given.name",
    "made.name",
    "object_id.id",
    "spec.name",
    "spec.object.id",
    # What stands nowhere in the tree, and the operation is about.
    "account.name",
    "category.name",
    "data_set.name",
    "item.name",
    "file.name",
    "library.id",
    "library.name",
    "other.name",
    "permission.id",
    "role.name",
    "group.name",
    "stored.name",
    "service_state.id",
    "tag.name",
    "task.id",
    # What the request's path names.
    "subject.id",
    # What is the same in every inventory.
    "family.name",
    "operation.id",
    "self.name",
    # The target of the task, which whoever sees the task sees, or saw.
    "target.id",
)


def violations(folder: Path, no_objects: tuple[str, ...]) -> Iterator[str]:
    """The names in the arguments of messages below ``folder`` that are no mentions, and exceptions without need."""
    used: set[str] = set()
    for path in sorted(folder.rglob("*.py")):
        for call in ast.walk(ast.parse(path.read_text())):
            if not isinstance(call, ast.Call) or called(call) not in MESSAGES:
                continue
            for node in (node for argument in call.args[1:] for node in bare(argument)):
                words = ast.unparse(node)
                if words in no_objects:
                    used.add(words)
                else:
                    yield f"{path}:{node.lineno}: a message has {words}, which is no mention"
    for words in no_objects:
        if words not in used:
            yield f"{words} may stand in messages, and stands in none"


def bare(node: ast.AST) -> Iterator[ast.Attribute]:
    """The names and ids in an expression, but for those that a mention is made of."""
    if isinstance(node, ast.Call) and called(node) in MENTIONS:
        return
    if isinstance(node, ast.Attribute) and node.attr in WORDS:
        yield node
    for child in ast.iter_child_nodes(node):
        yield from bare(child)


def called(call: ast.Call) -> str:
    """The name of the function that is called."""
    return getattr(call.func, "id", "") or getattr(call.func, "attr", "")


if __name__ == "__main__":
    tell(violations(SOURCES, NO_OBJECTS))
