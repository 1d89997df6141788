"""The commands of nouns, made of what ``resources`` declares and of the contract's types."""

from __future__ import annotations

import argparse
import functools
from collections.abc import Callable, Collection
from typing import Any, TypeAlias

from resphere.cli.arguments import Parser
from resphere.cli.remote import acting, listing
from resphere.cli.remote.chosen import add_server
from resphere.cli.remote.given import FLAGS, PARENT, TARGETS, parent_of, parents_of, target_of
from resphere.cli.remote.inputs import Leaf, flags, value
from resphere.cli.remote.nouns import MANY, NONE, ONE, Group, Noun, Verb
from resphere.cli.remote.operations import operation
from resphere.cli.remote.output import add_output
from resphere.cli.remote.resources import ALL, NOUNS
from resphere.contract.model import Secret

Commands: TypeAlias = "argparse._SubParsersAction[Parser]"


def add_noun(commands: Commands, name: str, words: Collection[str] | None) -> None:
    """A noun with all of the verbs that ``words`` has, and no more than the names of others; ``None``: all of all."""
    noun = NOUNS[name]
    aliases = [] if noun.plural == noun.name else [noun.plural]
    made = commands.add_parser(noun.name, aliases=aliases, help=noun.help, description=sentence(noun.help))
    add_verbs(made, noun, words)


def sentence(text: str) -> str:
    """With a capital letter and a full stop, as descriptions have it."""
    return f"{text[0].upper()}{text[1:]}."


def add_verbs(to: Parser, noun: Noun, words: Collection[str] | None) -> None:
    """The verbs of a noun."""
    verbs = to.add_subparsers(required=True, metavar="VERB")
    adding: dict[str, tuple[str, Callable[[], None]]] = {"ls": ("list them", lambda: add_list(verbs, noun))}
    if noun.get is not None:
        adding["show"] = "show in detail", lambda: add_show(verbs, noun)
    for name, verb in noun.verbs.items():
        if isinstance(verb, Verb):
            adding[name] = verb.help, functools.partial(add_verb, verbs, noun, name, verb)
        else:
            adding[name] = verb.help, functools.partial(add_group, verbs, noun, name, verb, words)
    for name, (help, add) in adding.items():
        if words is None or name in words:
            add()
        else:
            verbs.add_parser(name, help=help)


def add_group(verbs: Commands, noun: Noun, name: str, group: Group, words: Collection[str] | None) -> None:
    """Verbs below a word, or a noun below it."""
    made = verbs.add_parser(name, help=group.help, description=sentence(group.help))
    if group.noun is not None:
        add_verbs(made, group.noun, words)
        return
    below: Commands = made.add_subparsers(required=True, metavar="VERB")
    for each, verb in group.verbs.items():
        add_verb(below, noun, each, verb)


def add_list(verbs: Commands, noun: Noun) -> None:
    """``ls``."""
    made = verbs.add_parser("ls", help="list them", description=f"List {noun.help}. Flags narrow it down.")
    add_parent(made, noun)
    made.add_argument("patterns", nargs="*", metavar="NAME", help="names, paths, ids or globs; none: all")
    add_input(
        made,
        operation(noun.list).input,
        without=(*parents_of(noun), "result_spec", "iterate"),
        title="filters",
    )
    made.add_argument(
        "--where",
        action="append",
        default=[],
        metavar="FIELD=VALUE",
        help="of rows whose field is so; also FIELD!=VALUE, FIELD>N, FIELD<N (repeat: all must be so)",
    )
    made.add_argument("--sort", metavar="FIELD", help="in the order of a field; FIELD:desc: the other way round")
    made.add_argument("--columns", metavar="FIELDS", help="the fields to show, with commas in between")
    finish(made, functools.partial(listing.ls, noun))
    made.completions["patterns"] = noun.name


def add_show(verbs: Commands, noun: Noun) -> None:
    """``show``."""
    made = verbs.add_parser("show", help="show in detail", description="Show all that is told of objects.")
    add_parent(made, noun)
    add_targets(made, noun, nargs="+")
    finish(made, functools.partial(listing.show_objects, noun))


def add_verb(verbs: Commands, noun: Noun, name: str, verb: Verb) -> None:
    """Any other verb."""
    made = verbs.add_parser(name, help=verb.help, description=sentence(verb.help))
    add_parent(made, noun)
    if verb.on == MANY:
        add_targets(made, noun, nargs="+")
    elif verb.on == ONE:
        add_targets(made, noun)
    for word, dotted in verb.arguments:
        made.add_argument(f"argument_{word}", metavar=word.upper(), help=f"the {word}")
        del dotted
    struct = operation(verb.operation).input
    if needs_flags(noun, verb):
        fixed = [path for path in verb.fixed if verb.on != NONE]
        given = (target_of(noun, verb), *(path for _, path in verb.arguments), *fixed, *verb.without)
        add_input(made, struct, without=(*given, *parents_of(noun)), only=verb.only)
        made.add_argument(
            "--spec", metavar="FILE", dest="spec_file", help="the rest of its input, as JSON or YAML; - reads it"
        )
        made.add_argument(
            "--set",
            action="append",
            default=[],
            metavar="PATH=VALUE",
            dest="set_values",
            help="any place of its input, such as cpu.count=4",
        )
    else:
        made.set_defaults(**{FLAGS: {}}, spec_file=None, set_values=[])
    if verb.destroys:
        made.add_argument("-y", "--yes", action="store_true", help="do not ask")
    made.add_argument("--dry-run", action="store_true", help="say what would be called, and call nothing")
    if verb.task is not None:
        made.add_argument("--no-wait", action="store_true", help="print the ids of tasks, and do not wait for them")
    finish(made, functools.partial(acting.act, noun, verb))


def needs_flags(noun: Noun, verb: Verb) -> bool:
    """Whether its input has anything that does not come by words."""
    by_words = {
        target_of(noun, verb),
        *parents_of(noun),
        *(path for _, path in verb.arguments),
        *verb.fixed,
        *verb.without,
    }
    return bool(flags(operation(verb.operation).input, by_words))


def finish(made: Parser, run: Callable[[argparse.Namespace], int]) -> None:
    """What every command has."""
    add_output(made)
    add_server(made)
    made.set_defaults(run=run)


def add_parent(to: Parser, noun: Noun) -> None:
    """The word for the object in which those of the noun stand."""
    if noun.parent is not None:
        above = parent_of(noun)
        to.add_argument(PARENT, metavar=above.name.upper(), help=f"the {above.name}: name, path or id")
        to.completions[PARENT] = above.name


def add_targets(to: Parser, noun: Noun, nargs: str | None = None) -> None:
    """The words for the objects that are meant."""
    kinds = "names, paths, ids or globs" if nargs else "its name, path or id"
    to.add_argument(TARGETS, nargs=nargs, metavar=noun.one.upper(), help=kinds)
    to.completions[TARGETS] = noun.name


def add_input(
    to: Parser,
    struct: Any,
    without: tuple[str, ...],
    only: tuple[str, ...] | None = None,
    title: str = "what is to be so",
) -> None:
    """A flag for each place in an input, but for those that come otherwise."""
    found = flags(struct, tuple(path for path in without if path))
    if only is not None:
        found = {
            name: leaf
            for name, leaf in found.items()
            if any((leaf.dotted + ".").startswith(path + ".") for path in only)
        }
    group: Any = to.add_argument_group(title) if found else to
    for name, leaf in found.items():
        add_flag(group, name, leaf)
        completes = next((noun.name for noun in ALL if leaf.id_type is not None and noun.id_type == leaf.id_type), None)
        if completes is not None:
            to.completions[leaf.dotted] = completes
        elif leaf.choices:
            to.completions[leaf.dotted] = leaf.choices
    to.set_defaults(**{FLAGS: found})


def add_flag(to: Any, name: str, leaf: Leaf) -> None:
    """A flag for a place in an input."""
    if leaf.type is Secret:
        to.add_argument(
            f"{name}-file", dest=leaf.dotted, metavar="FILE", help=f"{leaf.words}: the first line of a file"
        )
        return
    if leaf.type is bool and not leaf.many:
        to.add_argument(name, dest=leaf.dotted, action=argparse.BooleanOptionalAction, default=None, help=leaf.words)
        return
    choices = leaf.choices
    shown = f": {', '.join(choices)}" if 0 < len(choices) <= 8 else ""
    to.add_argument(
        name,
        dest=leaf.dotted,
        action="append" if leaf.many else "store",
        type=functools.partial(read, leaf),
        metavar=name.removeprefix("--").rpartition("-")[2].upper(),
        help=(leaf.words + shown + (" (repeat)" if leaf.many else "")).replace("%", "%%"),
    )


def read(leaf: Leaf, text: str) -> Any:
    """The value of a flag; what is known by name is looked up later."""
    try:
        return text if leaf.id_type is not None or leaf.is_object else value(leaf, text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
