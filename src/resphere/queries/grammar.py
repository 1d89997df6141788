"""OData's expressions as parsers of their words (parsy): what may follow what, and nothing of fields or types.

Each alternative is told by its first word, so that nothing is tried twice: the time is linear in the text.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import parsy
from parsy import forward_declaration, seq, test_item

from resphere.nearest import meant
from resphere.queries import nodes
from resphere.queries.refusals import misread
from resphere.queries.tokens import Token, tokens

COMPARISONS = ("eq", "ne", "gt", "ge", "lt", "le")
SEARCHES = ("contains", "startswith", "endswith")
CASES = ("tolower", "toupper")
QUANTIFIERS = ("any", "all")
OPERATORS = ("and", "or", "not", "in")
CONSTANTS = {"true": True, "false": False, "null": None}
FUNCTIONS = (*SEARCHES, *CASES, *QUANTIFIERS, "now")
CALLED = frozenset((*FUNCTIONS, *OPERATORS))
"""What may stand before a bracket."""
MOST_DIGITS = 40
DURATION = re.compile(
    r"(?P<sign>-?)P(?:(?P<days>\d{1,6})D)?"
    r"(?:T(?:(?P<hours>\d{1,6})H)?(?:(?P<minutes>\d{1,8})M)?(?:(?P<seconds>\d{1,9}(?:\.\d{1,6})?)S)?)?",
    re.ASCII,
)


class Misread(Exception):
    """What is wrong at a character."""

    def __init__(self, at: int, words: str) -> None:
        super().__init__(words)
        self.at = at
        self.words = words


def kind(name: str, label: str | None = None) -> Any:
    """A word of that kind."""
    return test_item(lambda token: token.kind == name, label or name)


def word(*texts: str) -> Any:
    """One of these words."""
    return test_item(lambda token: token.kind == "name" and token.text in texts, " or ".join(texts))


def call(name: Any, inner: Any) -> Any:
    """``name(...)``: the name's token, and what ``inner`` gives."""
    return seq(name, kind("(") >> inner << kind(")"))


def number(token: Token) -> nodes.Literal:
    """A whole number, or one with a fraction."""
    if len(token.text) > MOST_DIGITS:
        raise Misread(token.at, f"a number may have {MOST_DIGITS} characters at most")
    whole = token.text.removeprefix("-").isdecimal()
    return nodes.Literal(int(token.text) if whole else float(token.text), token.at)


def moment(token: Token) -> nodes.Literal:
    """A moment; a day alone is its beginning in UTC."""
    try:
        found = datetime.fromisoformat(token.text)
    except ValueError:
        raise Misread(token.at, f"{token.text} is no moment such as 2026-01-31T12:00:00Z") from None
    return nodes.Literal(found if found.tzinfo is not None else found.replace(tzinfo=UTC), token.at)


def duration(token: Token) -> timedelta:
    """A time span (XML Schema's ``dayTimeDuration``, as OData has it)."""
    content = token.text[len("duration'") : -1]
    parts = DURATION.fullmatch(content)
    if parts is None or not any(parts.group("days", "hours", "minutes", "seconds")):
        raise Misread(token.at, f"{content!r} is no duration such as P1DT12H30M5S")
    days, hours, minutes, seconds = (float(each or 0) for each in parts.group("days", "hours", "minutes", "seconds"))
    span = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    return -span if parts["sign"] else span


def shifted(now: Token, _open: Token, _end: Token, shift: Any) -> nodes.Moment:
    """``now()``, with ``add`` or ``sub`` and a duration."""
    if shift is None:
        return nodes.Moment(timedelta(), now.at)
    sign, span = shift
    return nodes.Moment(span if sign.text == "add" else -span, now.at)


NAME = kind("name", "a field")
TEXT = kind("text", "a text in single quotes").map(
    lambda token: nodes.Literal(token.text[1:-1].replace("''", "'"), token.at)
)
SPAN = kind("duration", "a duration such as duration'PT1H'").map(duration)
LITERAL = parsy.alt(
    TEXT,
    kind("number", "a number").map(number),
    kind("moment", "a moment").map(moment),
    word(*CONSTANTS).map(lambda token: nodes.Literal(CONSTANTS[token.text], token.at)),
).desc("a value")
NOW = seq(word("now"), kind("("), kind(")"), seq(word("add", "sub"), SPAN).optional()).combine(shifted)
PATH = NAME.sep_by(kind("/"), min=1).map(
    lambda found: nodes.Path(
        tuple(token.text for token in found), found[0].at, places=tuple(token.at for token in found)
    )
)
CASED = call(word(*CASES), PATH).combine(
    lambda function, path: nodes.Path(path.names, function.at, function.text, path.places)
)

condition = forward_declaration()


def starts(*texts: str) -> Any:
    """Whether a function of one of these names begins here; takes nothing."""
    return parsy.peek(seq(word(*texts), kind("(")))


def searched(function: Token, arguments: list[Any]) -> nodes.Search:
    path, value = arguments
    return nodes.Search(function.text, path, value, function.at)


SEARCH = call(word(*SEARCHES), seq((starts(*CASES) >> CASED) | PATH, kind(",") >> TEXT)).combine(searched)
LAMBDA = seq(NAME << kind(":"), condition).optional()


def predicate(left: nodes.Operand, rest: Callable[[nodes.Operand], nodes.Condition] | None) -> nodes.Condition:
    """What an operand is with what follows it."""
    if rest is not None:
        return rest(left)
    if not isinstance(left, nodes.Path):
        raise Misread(left.at, "a value alone is no condition: compare it with a field")
    return nodes.Holds(left, left.at)


def compared(operator: Token, right: nodes.Operand) -> Callable[[nodes.Operand], nodes.Condition]:
    return lambda left: nodes.Compare(operator.text, left, right, operator.at)


def within(operator: Token, values: list[nodes.Literal]) -> Callable[[nodes.Operand], nodes.Condition]:
    def made(left: nodes.Operand) -> nodes.Condition:
        if not isinstance(left, nodes.Path):
            raise Misread(left.at, "only a field can be in a list of values")
        return nodes.Within(left, tuple(values), operator.at)

    return made


def quantified(inner: Any) -> Callable[[nodes.Operand], nodes.Condition]:
    def made(left: nodes.Operand) -> nodes.Condition:
        names = left.names if isinstance(left, nodes.Path) else ()
        if not isinstance(left, nodes.Path) or len(names) < 2 or names[-1] not in QUANTIFIERS:
            raise Misread(left.at, "any and all stand behind a field: disks/any(...)")
        path = nodes.Path(names[:-1], left.at, places=left.places[:-1])
        every = names[-1] == "all"
        if inner is None:
            if every:
                raise Misread(left.at, "all needs a condition: all(x: ...)")
            return nodes.Quantified(path, False, "", None, left.at)
        variable, condition = inner
        return nodes.Quantified(path, every, variable.text, condition, left.at)

    return made


OPERAND = (starts(*CASES) >> CASED) | (starts("now") >> NOW) | LITERAL | PATH
LIST = kind("(") >> LITERAL.sep_by(kind(","), min=1) << kind(")")
REST = parsy.alt(
    seq(word(*COMPARISONS), OPERAND).combine(compared),
    seq(word("in"), LIST).combine(within),
    (kind("(") >> LAMBDA << kind(")")).map(quantified),
)
PREDICATE = (starts(*SEARCHES) >> SEARCH) | seq(OPERAND, REST.optional()).combine(predicate)
PRIMARY = (kind("(") >> condition << kind(")")) | PREDICATE


def negated(nots: list[Token], inner: nodes.Condition) -> nodes.Condition:
    return nodes.Not(inner) if len(nots) % 2 else inner


def joined(text: str) -> Callable[[list[nodes.Condition]], nodes.Condition]:
    return lambda parts: parts[0] if len(parts) == 1 else nodes.Joined(text, tuple(parts))


UNARY = seq(word("not").many(), PRIMARY).combine(negated)
BOTH = UNARY.sep_by(word("and"), min=1).map(joined("and"))
condition.become(BOTH.sep_by(word("or"), min=1).map(joined("or")))

ORDER = seq((starts(*CASES) >> CASED) | PATH, word("asc", "desc").optional()).combine(
    lambda path, direction: nodes.Order(path, direction is not None and direction.text == "desc")
)
ORDERS = ORDER.sep_by(kind(","), min=1)
PATHS = PATH.sep_by(kind(","), min=1)


def parsed(option: str, parser: Any, text: str) -> Any:
    """The text as ``parser`` has it.

    :raises InvalidArgument: it means nothing; names the character.
    """
    found = tokens(option, text)
    try:
        require_functions(found)
        return parser.parse(found)
    except Misread as error:
        raise misread(option, error.at, error.words) from None
    except parsy.ParseError as error:
        wanted = ", ".join(sorted(map(shown, error.expected)))
        if error.index < len(found):
            token = found[error.index]
            raise misread(option, token.at, f"there is {token.text} where there must be: {wanted}") from None
        raise misread(option, len(text) + 1, f"it ends where there must be: {wanted}") from None


def require_functions(found: list[Token]) -> None:
    """Refuse a function that there is not: the parsers would say that a bracket stands in the wrong place."""
    for token, following in pairwise(found):
        if token.kind == "name" and following.kind == "(" and token.text not in CALLED:
            known = ", ".join(sorted(FUNCTIONS))
            raise Misread(
                token.at, f"there is no function {token.text}{meant(token.text, FUNCTIONS)}. There are: {known}"
            )


def shown(label: str) -> str:
    """What a parser expects, for readers."""
    return "the end" if label == "EOF" else label


def filter_of(text: str) -> nodes.Condition:
    """What ``$filter`` says."""
    made: nodes.Condition = parsed("$filter", condition, text)
    return made


def orders_of(text: str) -> tuple[nodes.Order, ...]:
    """What ``$orderby`` says."""
    return tuple(parsed("$orderby", ORDERS, text))


def paths_of(text: str) -> tuple[nodes.Path, ...]:
    """What ``$select`` says."""
    return tuple(parsed("$select", PATHS, text))
