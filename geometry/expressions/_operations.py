"""The table of elementwise operations: for each its slopes, its ball, its enclosure, and its text in three languages.

A slope is a formula in nodes, and so has slopes of its own: that is where second derivatives come from. The values are
those of the array API standard's functions of the same names.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from math import inf
from typing import Any, NamedTuple

import numpy

from geometry.expressions import _balls
from geometry.expressions._nodes import Node, constant, places, powers_of_two, take

__all__ = ["TABLE", "Operation", "aligned", "elementwise"]


class Texts(NamedTuple):
    """An operation in words of a language; {0}, {1}, ... are its arguments."""

    python: str  # for numba, and for Python where that is absent: `np` is NumPy
    c: str  # C99, CUDA C
    javascript: str


class Operation(NamedTuple):
    """One row of the table."""

    slopes: tuple[Callable[..., Node] | None, ...]  # ∂y/∂x_k of (x_1, ..., x_n, y); None: zero
    texts: Texts
    ball: Callable[..., Any]  # of python-flint's balls; of booleans where it is boolean
    enclosure: Callable[..., Any]  # of affine forms (`geometry.certified`); of truths where it is boolean
    boolean: bool = False  # the result is true or false
    chooses: bool = False  # y is one of the last two arguments: the first one's slope says where it is that


def elementwise(name: str, *arguments: Node) -> Node:
    """An operation of the table on nodes whose shapes broadcast; of constants a constant, if it is not rounded."""
    operands = aligned(*arguments)
    operation = TABLE[name]
    if all(operand.is_constant for operand in operands):
        numbers = [operand.data for operand in operands]
        if _is_exact(name, *numbers):
            return constant(evaluated(name, *numbers))
    return Node(name, operands, operands[0].shape, boolean=operation.boolean)


def aligned(*nodes: Node) -> tuple[Node, ...]:
    """Nodes broadcast to one shape."""
    shape = numpy.broadcast_shapes(*(node.shape for node in nodes))
    return tuple(node if node.shape == shape else take(node, numpy.broadcast_to(places(node), shape)) for node in nodes)


def evaluated(name: str, *arrays: Any) -> Any:
    """The operation on NumPy arrays."""
    with numpy.errstate(all="ignore"):
        return getattr(numpy, NUMPY_NAMES.get(name, name))(*arrays)


KINKED = frozenset({"abs", "sign", "maximum", "minimum", "where", "largest", "sqrt", "hypot", "atan2", "remainder"})
"""What may have a kink, or a jump, within its domain, as the next ones do."""
JUMPS = frozenset({"floor", "ceil", "trunc", "round"})


EXACT = frozenset(
    {
        *("negative", "abs", "sign", "floor", "ceil", "trunc", "round", "maximum", "minimum", "where"),
        *("less", "less_equal", "greater", "greater_equal", "equal", "not_equal"),
        *("logical_and", "logical_or", "logical_not"),
    }
)


def _is_exact(name: str, *numbers: Any) -> bool:
    """Whether NumPy's result is known to be that of the numbers, without rounding."""
    if name in ("add", "subtract"):
        x, y = numbers[0], numbers[1] if name == "add" else -numbers[1]
        total = x + y
        return bool(((total - x == y) & (total - y == x)).all())
    if name in ("multiply", "divide"):
        x, y = numbers
        return bool((powers_of_two(y) | ((name == "multiply") & powers_of_two(x)) | (x == 0)).all())
    return name in EXACT or (name == "square" and bool(powers_of_two(*numbers).all()))


NUMPY_NAMES = {
    "acos": "arccos",
    "acosh": "arccosh",
    "asin": "arcsin",
    "asinh": "arcsinh",
    "atan": "arctan",
    "atan2": "arctan2",
    "atanh": "arctanh",
    "pow": "power",
}


# Formulas in nodes. Products with zero and one vanish, so that derivatives hold nothing that is zero anyway.


def plus(x: Node, y: Node) -> Node:
    if x.is_zero or y.is_zero:
        kept = y if x.is_zero else x
        return aligned(kept, x, y)[0]
    return elementwise("add", x, y)


def minus(x: Node) -> Node:
    return elementwise("negative", x)


def times(x: Node, y: Node) -> Node:
    if x.is_zero or y.is_zero:
        return constant(numpy.zeros(numpy.broadcast_shapes(x.shape, y.shape)))
    for one, other in ((x, y), (y, x)):
        if one.is_constant and numpy.all(one.data == 1):
            return aligned(other, one)[0]
        if one.is_constant and numpy.all(one.data == -1):
            return minus(aligned(other, one)[0])
    return elementwise("multiply", x, y)


def over(x: Node, y: Node) -> Node:
    return times(x, y) if x.is_zero else elementwise("divide", x, y)


def _of(name: str) -> Callable[..., Node]:
    return lambda *arguments: elementwise(name, *arguments)


sin, cos, exp, log, sqrt, square, sign = map(_of, ("sin", "cos", "exp", "log", "sqrt", "square", "sign"))
sinh, cosh, hypot, floor, where = map(_of, ("sinh", "cosh", "hypot", "floor", "where"))
ONE, TWO, HALF, MINUS = map(constant, (1.0, 2.0, 0.5, -1.0))


def is_smooth(node: Node) -> bool:
    """Whether an operation has derivatives of all orders wherever it is defined."""
    if node.operation == "pow":
        power = node.arguments[1]
        return power.is_constant and bool(numpy.all(power.data == numpy.rint(power.data)))
    return node.operation not in KINKED | JUMPS


def raised(x: Node, p: Node) -> Node:
    """x^p with the small powers written out."""
    if p.is_constant and p.size and numpy.all(p.data == p.data.reshape(-1)[0]):
        whole = float(p.data.reshape(-1)[0])
        if whole == 0:
            return constant(numpy.ones(numpy.broadcast_shapes(x.shape, p.shape)))
        if whole == 1:
            return aligned(x, p)[0]
        if whole == 2:
            return square(aligned(x, p)[0])
    return elementwise("pow", x, p)


def _one_minus_square(x: Node) -> Node:
    """1 − x², without the cancellation near ±1."""
    return times(elementwise("subtract", ONE, x), plus(ONE, x))


def _over_square(x: Node, y: Node) -> Node:
    """x/(x² + y²), so that squares neither overflow nor vanish."""
    size = hypot(x, y)
    return over(over(x, size), size)


def _alike(name: str) -> Texts:
    """A function of one number that has one name in C and JavaScript."""
    return Texts(f"np.{NUMPY_NAMES.get(name, name)}({{0}})", f"{name}({{0}})", f"Math.{name}({{0}})")


def _infix(sign: str) -> Texts:
    return Texts(*[f"({{0}} {sign} {{1}})"] * 3)


def _smooth(name: str, slope: Callable[..., Node], *domain: Any) -> Operation:
    """A function that is smooth on an open interval (low, high), and maybe defined at its ends; default: everywhere."""
    return Operation((slope,), _alike(name), _balls.method(name), lambda x: x.smooth(name, *domain))


def _jumps(name: str, ball: Callable[..., Any], enclosure: Callable[..., Any], texts: Texts | None = None) -> Operation:
    """A function that is constant between jumps."""
    return Operation((None,), texts or _alike(name), ball, enclosure)


def _compares(sign: str, compare: Callable[..., Any]) -> Operation:
    method = f"__{compare.__name__}__"
    return Operation((None, None), _infix(sign), _balls.compared(method), compare, boolean=True)


def _arithmetic(sign: str, apply: Callable[..., Any], *slopes: Callable[..., Node]) -> Operation:
    return Operation(slopes, _infix(sign), apply, apply)


def _logarithm(name: str, base: float, ball: Callable[..., Any]) -> Operation:
    return Operation(
        (lambda x, z: over(over(ONE, log(constant(base))), x),),
        _alike(name),
        ball,
        lambda x: x.smooth("log", 0.0) / x.constant(base).smooth("log", 0.0),
    )


TABLE: dict[str, Operation] = {
    "add": _arithmetic("+", operator.add, lambda x, y, z: ONE, lambda x, y, z: ONE),
    "subtract": _arithmetic("-", operator.sub, lambda x, y, z: ONE, lambda x, y, z: MINUS),
    "multiply": _arithmetic("*", operator.mul, lambda x, y, z: y, lambda x, y, z: x),
    "divide": _arithmetic("/", operator.truediv, lambda x, y, z: over(ONE, y), lambda x, y, z: minus(over(z, y))),
    "negative": Operation((lambda x, z: MINUS,), Texts(*["(-{0})"] * 3), operator.neg, operator.neg),
    "square": Operation(
        (lambda x, z: times(TWO, x),), Texts(*["({0} * {0})"] * 3), lambda x: x**2, lambda x: x.square()
    ),
    "pow": Operation(
        (lambda x, p, z: times(p, raised(x, plus(p, MINUS))), lambda x, p, z: times(z, log(x))),
        Texts("np.power({0}, {1})", "pow({0}, {1})", "Math.pow({0}, {1})"),
        _balls.power,
        lambda x, p: x.power(p),
    ),
    "sqrt": _smooth("sqrt", lambda x, z: over(HALF, z), 0.0, inf, True),
    "exp": _smooth("exp", lambda x, z: z),
    "expm1": _smooth("expm1", lambda x, z: exp(x)),
    "log": _smooth("log", lambda x, z: over(ONE, x), 0.0),
    "log1p": _smooth("log1p", lambda x, z: over(ONE, plus(ONE, x)), -1.0),
    "log2": _logarithm("log2", 2.0, lambda x: x.log() / x.const_log2()),
    "log10": _logarithm("log10", 10.0, lambda x: x.log() / x.const_log10()),
    "sin": _smooth("sin", lambda x, z: cos(x))._replace(enclosure=lambda x: x.sin()),
    "cos": _smooth("cos", lambda x, z: minus(sin(x)))._replace(enclosure=lambda x: x.cos()),
    "tan": _smooth("tan", lambda x, z: plus(ONE, square(z)))._replace(enclosure=lambda x: x.tan()),
    "asin": _smooth("asin", lambda x, z: over(ONE, sqrt(_one_minus_square(x))), -1.0, 1.0, True),
    "acos": _smooth("acos", lambda x, z: minus(over(ONE, sqrt(_one_minus_square(x)))), -1.0, 1.0, True),
    "atan": _smooth("atan", lambda x, z: over(ONE, square(hypot(ONE, x)))),
    "sinh": _smooth("sinh", lambda x, z: cosh(x)),
    "cosh": _smooth("cosh", lambda x, z: sinh(x)),
    "tanh": _smooth("tanh", lambda x, z: over(ONE, square(cosh(x)))),
    "asinh": _smooth("asinh", lambda x, z: over(ONE, hypot(ONE, x))),
    "acosh": _smooth("acosh", lambda x, z: over(ONE, times(sqrt(plus(x, MINUS)), sqrt(plus(x, ONE)))), 1.0, inf, True),
    "atanh": _smooth("atanh", lambda x, z: over(ONE, _one_minus_square(x)), -1.0, 1.0),
    "atan2": Operation(
        (lambda y, x, z: _over_square(x, y), lambda y, x, z: minus(_over_square(y, x))),
        Texts("np.arctan2({0}, {1})", "atan2({0}, {1})", "Math.atan2({0}, {1})"),
        _balls.atan2,
        lambda y, x: y.atan2(x),
    ),
    "hypot": Operation(
        (lambda x, y, z: over(x, z), lambda x, y, z: over(y, z)),
        Texts("np.hypot({0}, {1})", "hypot({0}, {1})", "Math.hypot({0}, {1})"),
        lambda x, y: (x**2 + y**2).sqrt(),
        lambda x, y: x.hypot(y),
    ),
    "logaddexp": Operation(
        (lambda x, y, z: exp(elementwise("subtract", x, z)), lambda x, y, z: exp(elementwise("subtract", y, z))),
        Texts(
            "np.logaddexp({0}, {1})",
            "(fmax({0}, {1}) + log1p(exp(-fabs({0} - {1}))))",
            "(Math.max({0}, {1}) + Math.log1p(Math.exp(-Math.abs({0} - {1}))))",
        ),
        lambda x, y: (x.exp() + y.exp()).log(),
        lambda x, y: x.logaddexp(y),
    ),
    "remainder": Operation(
        (lambda x, y, z: ONE, lambda x, y, z: minus(floor(over(x, y)))),
        Texts("np.remainder({0}, {1})", "floored_mod({0}, {1})", "floored_mod({0}, {1})"),
        lambda x, y: x - y * (x / y).floor(),
        lambda x, y: x - y * (x / y).rounded("floor"),
    ),
    "abs": Operation((lambda x, z: sign(x),), Texts("abs({0})", "fabs({0})", "Math.abs({0})"), abs, abs),
    "sign": _jumps(
        "sign",
        _balls.method("sgn"),
        lambda x: x.sign(),
        Texts(
            "(1.0 if {0} > 0 else -1.0 if {0} < 0 else {0})",
            "({0} > 0 ? 1.0 : {0} < 0 ? -1.0 : {0})",
            "({0} > 0 ? 1 : {0} < 0 ? -1 : {0})",
        ),
    ),
    "floor": _jumps("floor", _balls.method("floor"), lambda x: x.rounded("floor")),
    "ceil": _jumps("ceil", _balls.method("ceil"), lambda x: x.rounded("ceil")),
    "trunc": _jumps("trunc", _balls.truncated, lambda x: x.rounded("trunc")),
    "round": _jumps(
        "round", _balls.rounded, lambda x: x.rounded("round"), Texts("np.rint({0})", "rint({0})", "rint({0})")
    ),
    "maximum": Operation(
        (lambda x, y, z: elementwise("greater_equal", x, y), None),
        Texts(
            "({0} if {0} >= {1} or {0} != {0} else {1})",
            "({0} >= {1} || {0} != {0} ? {0} : {1})",
            "Math.max({0}, {1})",
        ),
        lambda x, y: x.max(y),
        lambda x, y: x.maximum(y),
        chooses=True,
    ),
    "minimum": Operation(
        (lambda x, y, z: elementwise("less_equal", x, y), None),
        Texts(
            "({0} if {0} <= {1} or {0} != {0} else {1})",
            "({0} <= {1} || {0} != {0} ? {0} : {1})",
            "Math.min({0}, {1})",
        ),
        lambda x, y: x.min(y),
        lambda x, y: x.minimum(y),
        chooses=True,
    ),
    "where": Operation(
        (None, lambda c, x, y, z: c, None),
        Texts("({1} if {0} else {2})", "({0} ? {1} : {2})", "({0} ? {1} : {2})"),
        _balls.chosen,
        lambda c, x, y: x.choice(c, y),
        chooses=True,
    ),
    "less": _compares("<", operator.lt),
    "less_equal": _compares("<=", operator.le),
    "greater": _compares(">", operator.gt),
    "greater_equal": _compares(">=", operator.ge),
    "equal": _compares("==", operator.eq),
    "not_equal": _compares("!=", operator.ne),
    "logical_and": Operation(
        (None, None), Texts("({0} and {1})", *["({0} && {1})"] * 2), _balls.both, operator.and_, boolean=True
    ),
    "logical_or": Operation(
        (None, None), Texts("({0} or {1})", *["({0} || {1})"] * 2), _balls.either, operator.or_, boolean=True
    ),
    "logical_not": Operation(
        (None,), Texts("(not {0})", "(!{0})", "(!{0})"), _balls.negation, operator.invert, boolean=True
    ),
}
