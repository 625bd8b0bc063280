"""Edits of what a line results in: lines that remember, a new θ that is none, other hyper-parameters."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from rbo_ref.oracle.suspects.places import THRESHOLDS, Constant, Found, Place, edited
from rbo_ref.oracle.suspects.survey import Survey
from rbo_ref.oracle.suspects.text import Edit, Path, Text

__all__ = ["of_results"]

SHORT = tuple(10.0**k for k in range(-8, 0))  # of moves that are not made


def of_results(text: Text, method: str, line: ast.FunctionDef, survey: Survey) -> Iterator[Edit]:
    """A line that remembers, and a new θ that is none."""
    last = "finished" if "finished" in text.methods else "step"  # the line of which the result is the new θ
    for path, node in _results(line):
        numbers = node.elts if isinstance(node, ast.Tuple) else None
        paths = [(*path, ("elts", i)) for i in range(len(numbers))] if numbers else [path]
        for number, one in enumerate(paths):
            place = Place(method, one, numbers[number] if numbers else node, survey.theta, False)
            found = [
                *_remembering(f"{method} {number}"),
                *(_of_theta(survey) if method == last else ()),
                *_of_iterates(line, survey),
            ]
            yield from (edited(text, place, *each) for each in found)
        if method == "tuned":
            yield from _of_hyper_parameters(text, paths, line, survey)
        if numbers:
            place = Place(method, path, node, (-1,), False)
            names = [ast.unparse(n) for n in numbers]
            yield edited(text, place, 6, "all are kept as they were first", f"kept_first(self, {method!r}, NODE)")
            for i in range(len(names)):
                for j in range(i):
                    swapped = list(names)
                    swapped[i], swapped[j] = swapped[j], swapped[i]
                    yield edited(text, place, 2, "two are exchanged", f"({', '.join(swapped)})")
                    for a, b in ((i, j), (j, i)):
                        taken = list(names)
                        taken[a] = names[b]
                        yield edited(text, place, 3, "one is taken for the other", f"({', '.join(taken)})")


def _of_hyper_parameters(text: Text, paths: list[Path], line: ast.FunctionDef, survey: Survey) -> Iterator[Edit]:
    """Hyper-parameters that are others than those that were told."""
    if len(paths) > 1:  # one by one
        for path, node in zip(paths, _results_of(line), strict=True):
            if ast.unparse(node) != "steps":
                place = Place("tuned", path, node, (), False)
                yield from (edited(text, place, *one) for one in _told("NODE", "VALUE"))
        return
    place = Place("tuned", paths[0], _results_of(line)[0], (-1,), False)
    numbers: dict[str, str] = {}  # how each is set
    for name, value in survey.hyper.items():
        if isinstance(value, float):
            numbers[f"NODE[{name!r}]"] = f"(NODE) | {{{name!r}: VALUE}}"
        if isinstance(value, tuple):
            for i in range(len(value)):
                others = [f"NODE[{name!r}][{j}]" for j in range(len(value))]
                own = ", ".join("VALUE" if j == i else other for j, other in enumerate(others))
                numbers[others[i]] = f"(NODE) | {{{name!r}: ({own},)}}"
        if isinstance(value, bool):
            for always in (True, False):
                yield edited(text, place, 1, "a switch is not heeded", f"(NODE) | {{{name!r}: {always}}}")
        if type(value) is int:
            for change in ("- 1", "+ 1"):
                yield edited(
                    text, place, 1, "a number is off by one", f"(NODE) | {{{name!r}: NODE[{name!r}] {change}}}"
                )
    for number, form in numbers.items():
        yield from (edited(text, place, *one) for one in _told(number, form))
        for other in numbers:
            if other != number:
                yield edited(text, place, 3, "one is taken for the other", _set(form, other))


def _set(form: str, value: str) -> str:
    return form.replace("VALUE", value)


def _told(number: str, form: str) -> Iterator[Found]:
    yield 0, "it has a factor", Constant(_set(form, f"CONSTANT * {number}"), 1.0)
    yield 1, "a constant is added", Constant(_set(form, f"CONSTANT + {number}"), 0.0)
    yield 1, "it is fixed", Constant(_set(form, f"0.0 * {number} + CONSTANT"), 0.0, (0.1,))
    yield 2, "it is bounded above", Constant(_set(form, f"at_most(self, {number}, CONSTANT)"), 1e9, THRESHOLDS)
    yield 2, "it is bounded below", Constant(_set(form, f"at_least(self, {number}, CONSTANT)"), 0.0, THRESHOLDS)
    yield 3, "it is squared", _set(form, f"{number} * {number}")
    yield 3, "a root too many", _set(form, f"{number} ** 0.5")


def _results_of(line: ast.FunctionDef) -> list[ast.expr]:
    (_, node), *_ = _results(line)
    return node.elts if isinstance(node, ast.Tuple) else [node]


def _results(line: ast.FunctionDef) -> Iterator[tuple[Path, ast.expr]]:
    for index, statement in enumerate(line.body):
        if isinstance(statement, ast.Return) and statement.value is not None:
            yield (("body", index), ("value", None)), statement.value


def _remembering(key: str) -> Iterator[Found]:
    for again in ("", " each step"):
        name, anew = repr(key + again), again and ", anew" + again
        rank = 7 + bool(again)
        yield rank, f"it is a step late{anew}", f"late(self, {name}, NODE)"
        yield rank, f"it is kept as it was first{anew}", f"kept_first(self, {name}, NODE)"
        yield rank + 1, f"the mean so far{anew}", f"mean_so_far(self, {name}, NODE)"
        for tool in ("gathered", "averaged", "gathered_ahead"):
            source = f"{tool}(self, {name}, NODE, CONSTANT)"
            yield rank, f"it is {tool.replace('_', ' ')}{anew}", Constant(source, 0.0, (0.5, 0.9))
    for name in ("self.p", "self.c", "self.candidate", "self.nu", "self.tau", "self.f", "self.g"):
        yield 9, "what the last step left is carried on", f"kept(self, {name[5:]!r}, NODE)"


def _of_iterates(line: ast.FunctionDef, survey: Survey) -> Iterator[Found]:
    """Inner steps that are not all taken, and an inner loop that ends elsewhere."""
    names = [argument.arg for argument in line.args.args]
    if names[1:] == ["theta", "pull", "k"]:
        yield 5, "one coordinate at a time", "in_turn(self, NODE, theta, k)"
        yield 6, "it is taken back where it leads away", "unless_farther(self, NODE, theta)"
        for limit in SHORT:
            for move, size in (("pull", ""), ("NODE - theta", ""), ("NODE - theta", " * length(self, theta)")):
                source = f"still_if_short(self, NODE, theta, {move}, {limit}{size})"
                yield 8, "no move where it would be short", source
    if any(isinstance(statement, ast.For) for statement in line.body) and "self.candidate" in survey.pool.everywhere:
        yield 6, "the nearest inner iterate", "best_iterate(self, NODE)"
        for first in (1, 2):
            yield 6, "the mean of the inner iterates", f"mean_iterate(self, NODE, {first})"


def _of_theta(survey: Survey) -> Iterator[Found]:
    old = "self.theta" if "self.theta" in survey.pool.everywhere else "theta"
    yield 5, "two steps at once", "self.one_more(NODE)"
    yield 3, "the move is given", f"displaced(self, NODE, {old})"
    rate = "self.eta" if "self.eta" in survey.pool.everywhere else "self.h.learning_rate"
    yield 2, "a decay is in the step", Constant(f"(NODE) - CONSTANT * {rate} * {old}", 0.0)
    yield 1, "the move has a factor", Constant(f"moved(self, NODE, {old}, CONSTANT)", 1.0)
    for name in survey.pool.everywhere:
        for other in (name, f"{name}[:-1]"):
            yield 7, "it is mixed", Constant(f"moved(self, {other}, NODE, CONSTANT)", 1.0, (0.5,))
    for digits in (4, 6, 8, 10):
        yield 8, "it is rounded", f"rounded_to(self, NODE, {digits})"
