"""What verbs do: one operation on each object that is meant, with everything around it."""

from __future__ import annotations

import argparse
import copy
import json
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from resphere.cli.exits import Ended, Exit
from resphere.cli.remote.asking import Bars, bars, confirm, secret
from resphere.cli.remote.connection import Connection, Progress, connected
from resphere.cli.remote.failing import status_of, told
from resphere.cli.remote.given import FLAGS, TARGETS, above, flag_names, given, put_flags, resolve, target_of, wrong
from resphere.cli.remote.inputs import Leaf, leaf_at, place, put, read_document, typed
from resphere.cli.remote.names import Names, Target
from resphere.cli.remote.nouns import NONE, ONE, Noun, Verb
from resphere.cli.remote.operations import operation
from resphere.cli.remote.output import lines, printable, show
from resphere.cli.remote.rows import taken
from resphere.contract.errors import VapiError
from resphere.contract.model import AnyOperation, Secret

REFUSALS = (VapiError, Ended)
"""What is told of one object, and leaves the others to be done; where nobody answers, all is over."""


def act(noun: Noun, verb: Verb, options: argparse.Namespace) -> int:
    """Do what a verb says to all objects that are meant."""
    called = operation(verb.task if verb.task is not None else verb.operation)
    with connected(options) as connection:
        names = Names(connection)
        input = whole_input(verb, options, names)
        parent = above(noun, options, names)
        input.update(taken(called.id, parent))
        targets = targets_of(noun, verb, options, names, parent)
        inputs = [with_target(input, noun, verb, target) for target in targets]
        for each in inputs:
            typed(called.input, each, flag_names(options))
        if options.dry_run:
            return planned(called, inputs, options)
        if verb.destroys:
            confirm(question(verb, targets, noun), targets, yes=options.yes)
        acting = Acting(connection, verb, options, several=len(targets) > 1)
        with bars() as shown:
            acting.do(called, targets, inputs, shown)
    show_results(verb, options, acting.results)
    return ended(len(targets), acting.failures)


class Acting:
    """Calls for objects, one after the other; what is a task is begun for all before any is waited for."""

    def __init__(self, connection: Connection, verb: Verb, options: argparse.Namespace, *, several: bool) -> None:
        self._connection = connection
        self._verb = verb
        self._options = options
        self._several = several
        self._waits = verb.task is not None and not options.no_wait
        self.results: list[Any] = []
        self.failures: list[Exception] = []

    def do(
        self, called: AnyOperation, targets: Sequence[Target], inputs: Sequence[Mapping[str, Any]], shown: Bars
    ) -> None:
        """Make all calls, and wait for what they have begun."""
        whole = shown.add(self._verb.done) if self._several and not self._waits else None
        begun: list[tuple[Target, Any]] = []
        for position, (target, input) in enumerate(zip(targets, inputs, strict=True)):
            shown.update(whole, position, len(targets), target.label)
            try:
                begun.append((target, self._connection.call(called.id, input)))
            except REFUSALS as error:
                self._failed(target, error)
        shown.end(whole)
        in_progress = [(target, task, shown.add(target.label) if self._waits else None) for target, task in begun]
        for target, result, bar in in_progress:
            try:
                self._finish(target, result, lambda *how, bar=bar: shown.update(bar, *how))
            except REFUSALS as error:
                self._failed(target, error)
            shown.end(bar)

    def _finish(self, target: Target, result: Any, progress: Progress) -> None:
        """Take a result; that of a task when it is over."""
        if self._waits:
            result = self._connection.wait(result, progress)
        self.results.append(result)
        told = self._verb.on != NONE and self._verb.shows is None and self._options.output in ("table", "wide")
        if told and sys.stderr.isatty():
            begun = self._verb.task is not None and not self._waits
            print(f"{printable(target.label)}: {'task begun' if begun else self._verb.done}", file=sys.stderr)

    def _failed(self, target: Target, error: Exception) -> None:
        """Say on standard error why it failed, of which object where there are several."""
        self.failures.append(error)
        name = f"{printable(target.label)}: " if self._several else ""
        print(f"{self._options.command}: {name}{told(error)}", file=sys.stderr)


def question(verb: Verb, targets: Sequence[Target], noun: Noun) -> str:
    """What is to be confirmed: ``Delete virtual machines with their disks (3 vms)``."""
    what = re.split(r"; | \(of", verb.help)[0]
    return f"{what[0].upper()}{what[1:]}" + (f" ({len(targets)} {noun.plural})" if len(targets) > 1 else "")


def whole_input(verb: Verb, options: argparse.Namespace, names: Names) -> dict[str, Any]:
    """The input but for the object: what is fixed, the file, flags, places, words; what comes later wins."""
    input: dict[str, Any] = {}
    struct = operation(verb.operation).input
    for dotted, value in verb.fixed.items():
        place(input, tuple(dotted.split(".")), copy.deepcopy(value))
    if options.spec_file is not None:
        standard_input = sys.stdin.read() if options.spec_file == "-" else None
        merge(input, {below(struct): read_document(options.spec_file, standard_input)})
    try:
        for leaf, path in secrets_of(options):
            place(input, leaf.path, Path(path).read_text().partition("\n")[0])
        put_flags(input, without_secrets(options), names)
        for text in options.set_values:
            dotted, equals, value = text.partition("=")
            if not equals:
                raise ValueError(f"--set {text}: this is not PATH=VALUE")
            put(input, struct, within(struct, dotted), value)
        for word, dotted in verb.arguments:
            leaf = leaf_at(struct, tuple(dotted.split(".")))
            place(input, leaf.path, resolve(leaf, getattr(options, f"argument_{word}"), names))
    except ValueError as error:
        raise wrong(error) from None
    for leaf in vars(options)[FLAGS].values():
        if leaf.type is Secret and leaf.required and not options.dry_run and getattr(options, leaf.dotted) is None:
            place(input, leaf.path, secret(leaf.path[-1]))
    return input


def secrets_of(options: argparse.Namespace) -> list[tuple[Leaf, str]]:
    """The files that hold secrets of the input."""
    return [(leaf, path) for leaf, path in given(options).items() if leaf.type is Secret]


def without_secrets(options: argparse.Namespace) -> argparse.Namespace:
    """The flags but for the files of secrets."""
    found: dict[str, Leaf] = vars(options)[FLAGS]
    return argparse.Namespace(
        **{**vars(options), FLAGS: {n: leaf for n, leaf in found.items() if leaf.type is not Secret}}
    )


def below(struct: Any) -> str:
    """The one structure of an input, which files and places begin in: ``spec`` mostly.

    :raises Ended: it has none.
    """
    names = [name for name in struct.__struct_fields__ if name.endswith("spec")]
    if not names:
        raise Ended("the operation takes no specification", Exit.CALLED_WRONGLY)
    return str(names[0])


def within(struct: Any, dotted: str) -> str:
    """A place as it is, or as one below the specification."""
    return dotted if dotted.partition(".")[0] in struct.__struct_fields__ else f"{below(struct)}.{dotted}"


def merge(into: dict[str, Any], more: Mapping[str, Any]) -> None:
    """Put a structure over another."""
    for name, value in more.items():
        if isinstance(value, Mapping) and isinstance(into.get(name), dict):
            merge(into[name], value)
        else:
            into[name] = value


def targets_of(
    noun: Noun, verb: Verb, options: argparse.Namespace, names: Names, parent: Mapping[str, Any]
) -> list[Target]:
    """The objects that are meant; what makes one has none but its name."""
    if verb.on == NONE:
        return [Target("", str(getattr(options, f"argument_{verb.arguments[0][0]}")))]
    if verb.on == ONE:
        return [names.one(noun, getattr(options, TARGETS), parent)]
    return names.many(noun, getattr(options, TARGETS), parent)


def with_target(input: Mapping[str, Any], noun: Noun, verb: Verb, target: Target) -> dict[str, Any]:
    """The input of the call for one object."""
    made: dict[str, Any] = copy.deepcopy(dict(input))
    if verb.on != NONE:
        place(made, tuple(target_of(noun, verb).split(".")), target.id)
    return made


def planned(called: AnyOperation, inputs: Sequence[Mapping[str, Any]], options: argparse.Namespace) -> int:
    """Say what would be called."""
    if options.output == "table":
        lines((f"would call {called.id} {json.dumps(input, ensure_ascii=False)}" for input in inputs), sys.stdout)
    else:
        show([{"operation": called.id, "input": dict(input)} for input in inputs], options.output, label="operation")
    return 0


def show_results(verb: Verb, options: argparse.Namespace, results: Sequence[Any]) -> None:
    """Write what the calls returned, where they return anything."""
    written = [result for result in results if result is not None]
    if not written:
        return
    if verb.shows is not None and options.output in ("table", "wide", "name"):
        lines((str(result.get(verb.shows) or "-") for result in written), sys.stdout)
    elif len(results) == 1:
        show(written[0], options.output)
    else:
        show(written, options.output)


def ended(count: int, failures: Sequence[Exception]) -> int:
    """The status: that of the failure where all failed alike, and another where some are done."""
    if not failures:
        return Exit.DONE
    if len(failures) < count:
        return Exit.IN_PART
    statuses = {status_of(error) for error in failures}
    return statuses.pop() if len(statuses) == 1 else Exit.FAILED
