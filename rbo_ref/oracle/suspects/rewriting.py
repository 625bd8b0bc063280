"""Rules put to the lines of a formula: every edit of them."""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterator
from functools import cache, partial
from typing import Any, NamedTuple

from rbo_ref.oracle.suspects import tools
from rbo_ref.oracle.suspects.rules import RULES, Rule
from rbo_ref.oracle.suspects.survey import Shape, Survey
from rbo_ref.oracle.suspects.text import Edit, Path, Text, at, expressions

__all__ = ["Place", "all_edits", "filled", "matches"]

WITH_CONSTANT = 40  # added to the rank of a rule: constants explain more by chance
SIZES = ("length(self, self.g)", "length(self, self.theta)", "self.stretch(self.g)", "self.square(self.g)")
COUNTED = ("(k + 1)", "(t + 1)")
VECTORS = ("(self.theta - self.eta * self.g)", "(self.theta - self.h.learning_rate * self.g)")
Bound = dict[str, Any]  # what the letters of a pattern stand for


class Place(NamedTuple):
    """An expression in a line."""

    text: Text
    survey: Survey
    method: str
    path: Path
    node: ast.expr
    result: int | None = None  # which result of the line it is

    @property
    def shape(self) -> Shape | None:
        """None of what is no number."""
        return self.survey.shapes.get((self.method, self.path))

    @property
    def is_count(self) -> bool:
        return (self.method, self.path) in self.survey.counts

    @property
    def is_quantity(self) -> bool:
        return self.shape is not None and not self.is_count and not isinstance(self.node, ast.Constant)

    @property
    def fits(self) -> str:
        """The letters that stand for such an expression alone."""
        node, line, last = self.node, self.text.methods[self.method], "finished" in self.text.methods
        if self.is_quantity:
            yes = "XN" if self.shape == () else "XVP" if self.shape == self.survey.ambient else "XV"
        else:
            yes = "I" if self.is_count and not isinstance(node, ast.Call) else ""
        yes += "L" if self.is_quantity and isinstance(node, ast.Name | ast.Attribute | ast.Subscript) else ""
        if self.result is None:
            return yes
        yes += "RT" if self.method == ("finished" if last else "step") else "R"
        return yes + "O" * any(isinstance(statement, ast.For) for statement in line.body)


def all_edits(text: Text, survey: Survey) -> list[Edit]:
    """Every edit of the lines of a port, the simpler ones first."""
    places = [place for method in text.methods for place in _places(text, survey, method)]
    found = [edit for place in places for rule in RULES for edit in _edits(rule, place)]
    return sorted(found, key=lambda edit: edit.rank)


def _places(text: Text, survey: Survey, method: str) -> Iterator[Place]:
    """The numbers in a line, what it calls, chooses, and results in."""
    line = text.methods[method]
    results: dict[Path, int | None] = {}
    for index, statement in enumerate(line.body):
        if isinstance(statement, ast.Return) and statement.value is not None:
            path: Path = (("body", index), ("value", None))
            several = statement.value.elts if isinstance(statement.value, ast.Tuple) else []
            results |= {path: None if several else 0} | {(*path, ("elts", i)): i for i in range(len(several))}
    others = [path for path, _ in expressions(line) if path not in results]
    for path in [*results, *others]:
        place = Place(text, survey, method, path, at(line, path), results.get(path))
        if path in results or place.shape is not None or isinstance(place.node, ast.Call | ast.IfExp):
            yield place


def _edits(rule: Rule, place: Place) -> Iterator[Edit]:
    """What a rule makes of an expression."""
    for source, way in _rewritten(rule, place):
        for one in _named(source, place):
            if _is_known(one, place):
                build, rank = (
                    partial(_build, rule.pattern, one, way),
                    rule.rank + WITH_CONSTANT * (rule.start is not None),
                )
                calls = frozenset(node.id for node in ast.walk(_parsed(one)) if isinstance(node, ast.Name))
                yield Edit(place.text, place.method, place.path, build, rule.kind, rank, rule.start, rule.grid, calls)


def _rewritten(rule: Rule, place: Place) -> Iterator[tuple[str, int]]:
    """What stands instead, and in which of the ways in which the pattern fits."""
    instead = [ast.unparse(one) for one in _alternatives(_parsed(rule.instead))]
    if rule.pattern in ("H", "J", "B"):
        told = [parameter for parameter in _hyper_parameters(place) if parameter[0] == rule.pattern]
        for letter, number, form in told:
            others = [other for _, other, _ in told if other != number]
            for one in instead:
                own = re.sub(rf"\b{letter}\b", number, one)
                yield from (
                    (form.replace("VALUE", re.sub(r"\bG\b", g, own)), 0) for g in (others if one == "G" else [""])
                )
    elif len(rule.pattern) == 1:
        yield from ((one, 0) for one in instead if rule.pattern in place.fits)
    elif "M(" not in rule.pattern or place.shape == ():
        ways = len([*matches(_parsed(rule.pattern), place.node)])
        yield from ((one, way) for way in range(ways) for one in instead)


def _hyper_parameters(place: Place) -> Iterator[tuple[str, str, str]]:
    """Those that the line results in: the letter of each, how it is read, and how it is set, where X is the result."""
    if place.method != "tuned" or place.result is None:
        return
    if place.shape is not None:  # one by one
        yield from [("H", "X", "VALUE")] if not place.is_count else ()
        return
    for name, value in place.survey.hyper.items():
        entry, setting = f"X[{name!r}]", f"X | {{{name!r}: VALUE}}"
        if isinstance(value, tuple):
            for i in range(len(value)):
                several = ", ".join("VALUE" if j == i else f"{entry}[{j}]" for j in range(len(value)))
                yield "H", f"{entry}[{i}]", setting.replace("VALUE", f"({several},)")
        elif isinstance(value, bool | int | float):
            yield "B" if isinstance(value, bool) else "J" if isinstance(value, int) else "H", entry, setting


def _named(source: str, place: Place) -> Iterator[str]:
    """What stands instead, for all quantities that its letters are."""
    key = f"{place.method} {'' if place.result is None else place.result}".strip()
    source = re.sub(r"\bKEY\b", repr(key), re.sub(r"\bEACH\b", repr(f"{key} each step"), source))
    letter = re.search(r"\b[QSUWYZ]\b", source)
    if letter is None:
        yield source
        return
    theta = place.survey.theta
    several: dict[str, Any] = {
        "Q": lambda: [*_quantities(place, place.shape), *(VECTORS if place.shape == theta else ())],
        "S": lambda: [*_quantities(place, ()), *SIZES, *COUNTED],
        "W": lambda: [*_quantities(place, theta), *VECTORS],
        "U": lambda: [name[5:] for name, shape in place.survey.pool.everywhere.items() if shape == place.shape],
        "Y": lambda: [10.0**-k for k in range(1, 9)],
        "Z": lambda: range(1, 21),
    }
    for one in several[letter[0]]():
        yield re.sub(rf"\b{letter[0]}\b", str(one), source)


def _quantities(place: Place, shape: Shape | None) -> Iterator[str]:
    """The known quantities of a shape; parts of points count as such."""
    pool, ambient = place.survey.pool.everywhere | place.survey.pool.locally[place.method], place.survey.ambient
    for name, other in pool.items():
        parts = {f"{name}[:-1]": place.survey.theta, f"{name}[-1]": ()} if other == ambient else {}
        for one, its in {name: other, **parts}.items():
            if its == shape and one != ast.unparse(place.node):
                yield one


def _is_known(source: str, place: Place) -> bool:
    """Whether a formula has all that is named."""
    pool, line = place.survey.pool.everywhere, place.text.methods[place.method]
    local = {*place.survey.pool.locally[place.method], *(argument.arg for argument in line.args.args)}

    def known(node: ast.AST) -> bool:
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "self.h":
            return ast.unparse(node) in pool or f"{ast.unparse(node)}[0]" in pool
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "self":
            is_line = hasattr(place.text.cls, node.attr) or node.attr in ("loss", "one_more")
            return is_line or ast.unparse(node) in pool or node.attr in ("xp", "h")
        if isinstance(node, ast.Name) and not node.id.isupper():
            return node.id == "self" or node.id in local or hasattr(tools, node.id) or hasattr(builtins, node.id)
        return True

    return all(map(known, ast.walk(_parsed(source))))


# --- patterns -------------------------------------------------------------------------------------------------------


@cache
def _parsed(source: str) -> ast.expr:
    return ast.parse(source, mode="eval").body


def _alternatives(node: ast.expr) -> list[ast.expr]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return [*_alternatives(node.left), *_alternatives(node.right)]
    return [node]


def _build(pattern: str, source: str, way: int, node: ast.expr, constant: str) -> ast.expr:
    """What stands for an expression, which may have been edited; a number is one of the arithmetic."""
    bound: Bound = {"X": node, "K": _parsed(f"self.{constant}")}
    bound |= {pattern: node} if len(pattern) == 1 else [*matches(_parsed(pattern), node)][way]
    new = filled(_parsed(source), bound)
    return filled(_parsed("NEW + 0 * X"), {"NEW": new, "X": node}) if isinstance(new, ast.Constant) else new


def matches(pattern: Any, node: Any, bound: Bound | None = None) -> Iterator[Bound]:
    """The ways in which a pattern fits an expression.

    Examples
    --------
    >>> pattern, node = (ast.parse(source, mode="eval").body for source in ("F(*A, B, C)", "min(x, y, z)"))
    >>> [[ast.unparse(way[letter]) for letter in "BC"] for way in matches(pattern, node)]
    [['y', 'z']]
    """
    bound = bound or {}
    if isinstance(pattern, ast.Name) and pattern.id.isupper():
        if pattern.id not in bound and isinstance(node, ast.expr):
            yield bound | {pattern.id: node}
        elif pattern.id in bound and ast.unparse(bound[pattern.id]) == ast.unparse(node):
            yield bound
    elif isinstance(pattern, ast.expr) and len(several := _alternatives(pattern)) > 1:
        for one in several:
            yield from matches(one, node, bound)
    elif isinstance(pattern, ast.Call) and ast.unparse(pattern.func) in ("F", "M"):
        letter = ast.unparse(pattern.func)
        if isinstance(node, ast.Call) and _is_function(node.func, of_port=letter == "M"):
            yield from _all_match(pattern.args, node.args, bound | {letter: node})
    elif isinstance(pattern, ast.AST) and type(pattern) is type(node):
        there, here = ([getattr(x, name) for name in pattern._fields] for x in (pattern, node))
        yield from _all_match(there, here, bound)
    elif isinstance(pattern, list) and isinstance(node, list):
        yield from _all_match(pattern, node, bound)
    elif not isinstance(pattern, ast.AST | list) and pattern == node:
        yield bound


def _all_match(patterns: list[Any], nodes: list[Any], bound: Bound) -> Iterator[Bound]:
    """The ways in which patterns fit expressions in their order; a star is for any number of them."""
    if not patterns:
        yield from [bound] if not nodes else ()
    elif isinstance(patterns[0], ast.Starred):
        for count in range(len(nodes) + 1):
            letter = ast.unparse(patterns[0].value)
            yield from _all_match(patterns[1:], nodes[count:], bound | {letter: nodes[:count]})
    elif nodes:
        for way in matches(patterns[0], nodes[0], bound):
            yield from _all_match(patterns[1:], nodes[1:], way)


def _is_function(node: ast.expr, of_port: bool) -> bool:
    name = ast.unparse(node)
    return name not in ("self.loss", "range") and (not of_port or re.fullmatch(r"self\.\w+", name) is not None)


def filled(template: Any, bound: Bound) -> Any:
    """A template with what its letters stand for."""
    if isinstance(template, list):
        several = [bound[ast.unparse(x.value)] if isinstance(x, ast.Starred) else [filled(x, bound)] for x in template]
        return [x for some in several for x in some]
    if isinstance(template, ast.Name) and template.id in bound:
        return bound[template.id].func if template.id in ("F", "M") else bound[template.id]
    if isinstance(template, ast.Call) and ast.unparse(template.func) in ("F", "M"):
        call = bound[ast.unparse(template.func)]
        return ast.Call(call.func, filled(template.args, bound), call.keywords)
    if isinstance(template, ast.AST):
        return type(template)(**{name: filled(getattr(template, name), bound) for name in template._fields})
    return template
