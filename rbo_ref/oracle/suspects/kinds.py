"""The kinds of edits: what people do to a line, mechanically, on any formula."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from rbo_ref.oracle.suspects.places import THRESHOLDS, Constant, Found, Place, edited, quantities
from rbo_ref.oracle.suspects.results import of_results
from rbo_ref.oracle.suspects.survey import Survey
from rbo_ref.oracle.suspects.text import Edit, Text, expressions

__all__ = ["all_edits"]

NORMS = {
    "the root of the square": "length(self, {x})",
    "the sum of sizes": "sum_of_sizes(self, {x})",
    "the largest size": "largest(self, {x})",
    "the square of the largest size": "largest(self, {x}) * largest(self, {x})",
    "the mean square": "mean_square(self, {x})",
    "the root of the mean square": "mean_square(self, {x}) ** 0.5",
    "the sum of squares": "self.xp.sum({x} * {x})",
    "the sizes of the entries": "self.xp.abs({x})",
    "the squares of the entries": "{x} * {x}",
}


def all_edits(text: Text, survey: Survey) -> list[Edit]:
    """Every edit of the lines of a port, the simpler ones first."""
    found = []
    for method, line in text.methods.items():
        known = {key[1] for key in survey.shapes if key[0] == method}
        for path, node in expressions(line):
            if path in known:
                key = (method, path)
                place = Place(method, path, node, survey.shapes[key], key in survey.counts)
                found += [edited(text, place, *one) for kind in KINDS for one in kind(place, survey)]
            elif isinstance(node, ast.Call | ast.IfExp):
                place = Place(method, path, node, (-1,), False)
                found += [edited(text, place, *one) for kind in OF_OTHERS for one in kind(place, survey)]
        found += of_results(text, method, line, survey)
    return sorted(found, key=lambda edit: edit.rank)


# --- the kinds ------------------------------------------------------------------------------------------------------


def _operations(place: Place, survey: Survey) -> Iterator[Found]:
    """Signs, terms, factors."""
    node = place.node
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield 1, "the sign is lost", lambda node: node.operand
    if not isinstance(node, ast.BinOp):
        return
    if isinstance(node.op, ast.Add | ast.Sub):
        other = ast.Sub() if isinstance(node.op, ast.Add) else ast.Add()
        yield 1, "a sign is wrong", lambda node: ast.BinOp(node.left, other, node.right)
        yield 1, "a term is missing", lambda node: node.left
        minus = isinstance(node.op, ast.Sub)
        yield 1, "a term is missing", lambda node: ast.UnaryOp(ast.USub(), node.right) if minus else node.right
    if isinstance(node.op, ast.Mult | ast.MatMult):
        yield 1, "a factor is missing", lambda node: node.left
        yield 1, "a factor is missing", lambda node: node.right
    if isinstance(node.op, ast.Div):
        yield 1, "the divisor is missing", lambda node: node.left
        yield 2, "the divisor is a factor", lambda node: ast.BinOp(node.left, ast.Mult(), node.right)
        yield 3, "the quotient is turned over", lambda node: ast.BinOp(node.right, ast.Div(), node.left)
    if isinstance(node.op, ast.Pow):
        yield 1, "the power is missing", lambda node: node.left


def _calls(place: Place, survey: Survey) -> Iterator[Found]:
    """Functions left out, exchanged, with exchanged arguments."""
    node = place.node
    if not isinstance(node, ast.Call):
        return
    name = ast.unparse(node.func)
    arguments = [ast.unparse(a) for a in node.args]
    if len(arguments) == 1 and not name.startswith("self.loss"):
        yield 2, "a function is missing", lambda node: node.args[0]
    if len(arguments) >= 2:
        for i in range(len(arguments) - 1):
            yield 2, "arguments are exchanged", partial(_exchanged, i)
        yield 3, "only the first argument counts", lambda node: node.args[0]
        yield 3, "only the second argument counts", lambda node: node.args[1]
    if name in ("self.xp.maximum", "self.xp.minimum", "self.max", "self.min"):
        other = name.replace("max", "M").replace("min", "max").replace("M", "min")
        yield 2, "the bound is on the other side", f"{other}({', '.join(arguments)})"
        yield 2, "a sum stands for a bound", " + ".join(f"({a})" for a in arguments)
    if name == "self.joined":
        yield 2, "the height stands first", f"height_first(self, {', '.join(arguments)})"
    if name == "range" and len(arguments) == 1:
        for change in ("- 1", "+ 1", "* 2"):
            yield 1, "the number of steps is wrong", f"range({arguments[0]} {change})"
        yield 1, "the number of steps is wrong", "range(0)"
        for count in range(1, 21):
            yield 6, "the number of steps is fixed", f"range({count})"


def _parentheses(place: Place, survey: Survey) -> Iterator[Found]:
    """A term within a function that stands beside it, or the other way round."""
    node = place.node
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        for function, term in ((node.left, node.right), (node.right, node.left)):
            if isinstance(function, ast.Call) and len(function.args) == 1:
                name, x = ast.unparse(function.func), ast.unparse(function.args[0])
                yield 2, "a term stands within", f"{name}({x} + {ast.unparse(term)})"
    inner: Any = node.args[0] if isinstance(node, ast.Call) and len(node.args) == 1 else None
    if isinstance(inner, ast.BinOp) and isinstance(inner.op, ast.Add) and isinstance(node, ast.Call):
        name, one, other = ast.unparse(node.func), ast.unparse(inner.left), ast.unparse(inner.right)
        yield 2, "a term stands outside", f"{name}({one}) + {other}"
        yield 2, "a term stands outside", f"{one} + {name}({other})"


def _exchanged(i: int, node: Any) -> ast.expr:
    arguments = list(node.args)
    arguments[i], arguments[i + 1] = arguments[i + 1], arguments[i]
    return ast.Call(node.func, arguments, node.keywords)


def _choices(place: Place, survey: Survey) -> Iterator[Found]:
    """One of two ways, always."""
    if isinstance(place.node, ast.IfExp):
        yield 1, "one way is always taken", lambda node: node.body
        yield 1, "the other way is always taken", lambda node: node.orelse


def _norms(place: Place, survey: Survey) -> Iterator[Found]:
    """Another norm."""
    node = place.node
    if not isinstance(node, ast.Call) or place.shape != ():
        return
    inner: Any = node.args[0] if node.args else None
    if ast.unparse(node.func) == "self.xp.sum" and _is_square(inner):
        yield from _normed(ast.unparse(inner.left))
    if isinstance(node.func, ast.Attribute) and ast.unparse(node.func.value) == "self" and len(node.args) == 1:
        x = ast.unparse(node.args[0])
        yield from _normed(x)
        for tool in ("for_each_tensor", "of_first_tensor", "for_each_coordinate"):
            yield 5, "a norm of its own " + tool.replace("_", " "), f"{tool}(self, {ast.unparse(node.func)}, {x})"


def _is_square(node: Any) -> bool:
    twice = isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult)
    return twice and ast.unparse(node.left) == ast.unparse(node.right)


def _normed(x: str) -> Iterator[Found]:
    for name, source in NORMS.items():
        yield 4, f"{name} instead of another norm", source.format(x=f"({x})")


def _leaves(place: Place, survey: Survey) -> Iterator[Found]:
    """Another quantity of the same shape."""
    if not isinstance(place.node, ast.Name | ast.Attribute | ast.Subscript) or place.is_count:
        return
    for source in quantities(place, survey, place.shape):
        yield 5, "another quantity", source


def _counts(place: Place, survey: Survey) -> Iterator[Found]:
    """Whole numbers that are off by one."""
    if place.is_count and not isinstance(place.node, ast.Call):
        yield 6, "a number is too large by one", "(NODE) + 1"
        yield 6, "a number is too small by one", "(NODE) - 1"


def _evaluations(place: Place, survey: Survey) -> Iterator[Found]:
    """The loss asked at another place, or earlier."""
    node = place.node
    if not isinstance(node, ast.Call) or ast.unparse(node.func) not in ("self.loss", "self.gradient"):
        return
    if place.shape == (-1,) or ast.unparse(node.func) == "self.loss":
        at = ast.unparse(node.args[0])
        for part, name in ((None, "value and gradient"), (0, "the value"), (1, "the gradient")):
            yield 6, f"{name} of the evaluation before", f"heard_before(self, {at}, {part})"


def _places(place: Place, survey: Survey) -> Iterator[Found]:
    """A quantity of the gradient somewhere else."""
    definition = DEFINED.get(place.text)
    if definition and place.shape != ():
        for where in quantities(place, survey, survey.theta):
            if where not in ("self.g", "self.theta"):
                yield 7, "the gradient is that of another place", definition.format(f"self.loss({where})[1]")
    if "self.candidate" in survey.pool.everywhere and place.shape == (survey.theta[0] + 1,):
        yield 6, "its height is that of the graph there", "on_graph(self, NODE)"
    if place.shape == () and place.text.endswith("[-1]"):
        for where in quantities(place, survey, survey.theta):
            yield 7, "the height is that of the graph there", f"self.loss({where})[0]"


DEFINED = {"self.nu": "self.normal({})", "self.tau": "self.tangent({})", "self.g": "{}"}


def _wrapped(place: Place, survey: Survey) -> Iterator[Found]:
    """A function too many, a bound, a constant."""
    if place.is_count or isinstance(place.node, ast.Constant):
        return
    yield 2, "the sign is wrong", "-(NODE)"
    yield 4, "only the size counts", "self.xp.abs(NODE)"
    yield 5, "it is bounded by zero", "self.xp.maximum(NODE, 0 * (NODE))"
    yield 6, "it is squared", "(NODE) * (NODE)"
    yield 2, "it is lost", "0 * (NODE)"
    if place.shape == ():
        yield 4, "it is taken for 1", "1 + 0 * (NODE)"
        yield 5, "a root too many", "self.xp.sqrt(self.xp.abs(NODE))"
        yield 1, "a constant is added", Constant("(NODE) + CONSTANT", 0.0)
    else:
        yield 4, "it is normalised", "unit(self, NODE)"
        yield 4, "only the signs count", "self.xp.sign(NODE)"
        yield 4, "it is divided by the number of entries", "(NODE) / size(self, NODE)"
        yield 4, "it is clipped by length", Constant("clipped(self, NODE, CONSTANT)", 1e9, THRESHOLDS)
        yield 4, "its entries are clipped", Constant("between(self, NODE, CONSTANT)", 1e9, THRESHOLDS)
        for other in quantities(place, survey, place.shape):
            yield 6, "a multiple of another quantity is added", Constant(f"(NODE) + CONSTANT * ({other})", 0.0)
        if "weight_decay" in survey.hyper and place.shape == survey.theta:
            yield 4, "the decay is added", "(NODE) + self.h.weight_decay * theta"
        for name in quantities(place, survey, ()):
            if name in ("self.rho", "self.h.radius"):
                yield 8, "it is shortened", f"to_distance(self, NODE, {name})"
    yield 0, "it has a factor", Constant("CONSTANT * (NODE)", 1.0)


def _factors(place: Place, survey: Survey) -> Iterator[Found]:
    """Another factor or divisor."""
    if place.is_count or isinstance(place.node, ast.Constant):
        return
    scalars = [*quantities(place, survey, ())]
    vectors = [name for name in survey.pool.everywhere if survey.pool.everywhere[name] == survey.theta]
    lengths = [f"length(self, {name})" for name in vectors if name in ("self.g", "self.theta")]
    stretches = ["self.stretch(self.g)", "self.square(self.g)"] if "self.nu" in survey.pool.everywhere else []
    counts = [f"({n} + 1)" for n in survey.pool.locally[place.method] if n in ("k", "t")]
    for source in (*scalars, *lengths, *stretches, *counts):
        yield 6, "a factor too many", f"(NODE) * {source}"
        yield 6, "a divisor too many", f"(NODE) / {source}"


KINDS: tuple[Callable[[Place, Survey], Iterator[Found]], ...] = (
    _operations,
    _calls,
    _parentheses,
    _choices,
    _norms,
    _leaves,
    _counts,
    _evaluations,
    _places,
    _wrapped,
    _factors,
)
OF_OTHERS = (_calls, _choices, _evaluations)
