"""The faults that are tried: a statement that is missing, a condition turned round, a comparison that is another."""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator
from functools import partial

import msgspec

COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
}
OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
}
TURNS = (ast.Eq, ast.NotEq, ast.Is, ast.IsNot, ast.In, ast.NotIn)
"""What is the opposite of what it becomes: to negate it besides would be the same fault."""

Change = Callable[[ast.AST], ast.AST]


class Mutant(msgspec.Struct, frozen=True):
    """One fault: ``mutation`` says of what kind, ``code`` what was there, in which ``function`` and ``line``."""

    module: str
    function: str
    mutation: str
    code: str
    line: int
    source: Callable[[], str]
    """Makes the whole module, with the fault."""

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What it is known by when lines have moved."""
        return self.module, self.function, self.mutation, self.code


def mutants_of(module: str, source: str, calls: tuple[str, ...] | None = None) -> list[Mutant]:
    """The mutants of a module; ``calls``: only those that lack a call of one of these names."""
    tree = ast.parse(source)
    found: list[Mutant] = []
    for place, (function, node) in enumerate(_nodes(tree)):
        for mutation, code, change in _changes(node):
            if calls is not None and not _calls(node, calls):
                continue
            found.append(Mutant(module, function, mutation, code, _line(node), partial(_with, tree, place, change)))
    return found


def _line(node: ast.AST) -> int:
    return int(getattr(node.target if isinstance(node, ast.comprehension) else node, "lineno", 0))


def _nodes(tree: ast.AST, function: str = "") -> Iterator[tuple[str, ast.AST]]:
    """All nodes in their order, each with the name of the function it stands in."""
    for child in ast.iter_child_nodes(tree):
        inner = function
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            inner = f"{function}.{child.name}" if function else child.name
        yield inner, child
        yield from _nodes(child, inner)


def _with(tree: ast.AST, place: int, change: Change) -> str:
    changed = copy.deepcopy(tree)
    node = [node for _, node in _nodes(changed)][place]
    parent = next(each for each in ast.walk(changed) if node in ast.iter_child_nodes(each))
    new = ast.copy_location(change(node), node)
    for name, value in ast.iter_fields(parent):
        if value is node:
            setattr(parent, name, new)
        elif isinstance(value, list) and node in value:
            value[value.index(node)] = new
    return ast.unparse(ast.fix_missing_locations(changed))


def _changes(node: ast.AST) -> Iterator[tuple[str, str, Change]]:
    """The faults that a node can have: a name, what was there, and the node that takes its place."""
    code = ast.unparse(node) if isinstance(node, ast.expr | ast.stmt) else ""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call | ast.Await):
        yield "without the call", code, lambda _: ast.Pass()
    if isinstance(node, ast.Raise | ast.Continue | ast.Break | ast.Delete):
        yield f"without the {type(node).__name__.lower()}", code, lambda _: ast.Pass()
    if isinstance(node, ast.Assign | ast.AugAssign) and any(
        isinstance(target, ast.Attribute | ast.Subscript)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
    ):
        yield "without the assignment", code, lambda _: ast.Pass()
    if isinstance(node, ast.If | ast.While | ast.IfExp) and not _turns(node.test):
        yield "negated", ast.unparse(node.test), _negated
    if isinstance(node, ast.comprehension):
        for number, test in enumerate(node.ifs):
            yield "without the filter", ast.unparse(test), _unfiltered(number)
    if isinstance(node, ast.Compare):
        for number, operator in enumerate(node.ops):
            if type(operator) in COMPARISONS:
                yield "another comparison", code, _compared(number)
    if isinstance(node, ast.BoolOp):
        yield "and for or, or for and", code, _connected
    if isinstance(node, ast.BinOp) and type(node.op) in OPERATORS and not _is_text(node):
        yield "another operator", code, _calculated


def _turns(test: ast.expr) -> bool:
    return isinstance(test, ast.Compare) and len(test.ops) == 1 and isinstance(test.ops[0], TURNS)


def _is_text(node: ast.BinOp) -> bool:
    """Whether something that cannot be calculated with is put together."""
    return any(
        isinstance(side, ast.JoinedStr | ast.Tuple | ast.List)
        or (isinstance(side, ast.Constant) and not isinstance(side.value, int | float))
        for side in (node.left, node.right)
    )


def _calls(node: ast.AST, names: tuple[str, ...]) -> bool:
    """Whether the node is a statement that calls one of ``names``, or a condition that does."""
    inner = node.test if isinstance(node, ast.If) else node.value if isinstance(node, ast.Expr) else None
    if inner is None:
        return False
    functions = [each.func for each in ast.walk(inner) if isinstance(each, ast.Call)]
    return any(
        (isinstance(each, ast.Attribute) and each.attr in names) or (isinstance(each, ast.Name) and each.id in names)
        for each in functions
    )


def _negated(node: ast.AST) -> ast.AST:
    if isinstance(node, ast.If | ast.While | ast.IfExp):
        node.test = ast.UnaryOp(ast.Not(), node.test)
    return node


def _unfiltered(number: int) -> Change:
    def changed(node: ast.AST) -> ast.AST:
        if isinstance(node, ast.comprehension):
            del node.ifs[number]
        return node

    return changed


def _compared(number: int) -> Change:
    def changed(node: ast.AST) -> ast.AST:
        if isinstance(node, ast.Compare):
            node.ops[number] = COMPARISONS[type(node.ops[number])]()
        return node

    return changed


def _connected(node: ast.AST) -> ast.AST:
    if isinstance(node, ast.BoolOp):
        node.op = ast.And() if isinstance(node.op, ast.Or) else ast.Or()
    return node


def _calculated(node: ast.AST) -> ast.AST:
    if isinstance(node, ast.BinOp):
        node.op = OPERATORS[type(node.op)]()
    return node
