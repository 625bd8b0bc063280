"""Elementwise functions of recorded arrays, and those that make and look at arrays.

Every function has exactly the arguments that it honours: any other is refused by name.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy

from geometry.expressions._nodes import Node, constant
from geometry.expressions._operations import TABLE, elementwise, raised
from geometry.expressions._recorder import Recorded, as_node, numeric, refuse

__all__ = ["FUNCTIONS", "apply", "astype", "function", "where"]

FUNCTIONS: dict[str, Callable[..., Any]] = {}


def function(*names: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Enter a function into the namespace, under its own name (less `_`) and others."""

    def enter(body: Callable[..., Any]) -> Callable[..., Any]:
        for name in names or (body.__name__.rstrip("_"),):
            FUNCTIONS[name] = body
        return body

    return enter


LOGICAL = ("logical_and", "logical_or", "logical_not")


def apply(name: str, *arguments: Any) -> Recorded:
    """An elementwise operation, an operator's or a function's."""
    nodes = [as_node(argument) for argument in arguments]
    if name in COMPOSED:
        return Recorded(COMPOSED[name](*nodes))
    if name in LOGICAL:
        nodes = [node if node.boolean else elementwise("not_equal", node, constant(0.0)) for node in nodes]
    else:
        nodes = [numeric(node) for node in nodes]
    try:
        return Recorded(raised(*nodes) if name == "pow" else elementwise(name, *nodes))
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def _xor(x: Node, y: Node) -> Node:
    if not (x.boolean and y.boolean):
        raise refuse("^ of numbers")
    either = elementwise("logical_or", x, y)
    return elementwise("logical_and", either, elementwise("logical_not", elementwise("logical_and", x, y)))


def _or_the_other(name: str) -> Callable[[Node, Node], Node]:
    """A choice that takes the other number where one is NaN."""

    def choose(x: Node, y: Node) -> Node:
        x, y = numeric(x), numeric(y)
        first = elementwise("where", elementwise("not_equal", y, y), x, elementwise(name, x, y))
        return elementwise("where", elementwise("not_equal", x, x), y, first)

    return choose


COMPOSED: dict[str, Callable[..., Node]] = {
    "fmax": _or_the_other("maximum"),
    "fmin": _or_the_other("minimum"),
    "floor_divide": lambda x, y: elementwise("floor", elementwise("divide", numeric(x), numeric(y))),
    "logical_xor": _xor,
    "positive": numeric,
    "reciprocal": lambda x: elementwise("divide", constant(1.0), numeric(x)),
    "rad2deg": lambda x: elementwise("multiply", numeric(x), constant(180 / math.pi)),
    "deg2rad": lambda x: elementwise("multiply", numeric(x), constant(math.pi / 180)),
    "exp2": lambda x: elementwise("pow", constant(2.0), numeric(x)),
    "isfinite": lambda x: elementwise("less", elementwise("abs", numeric(x)), constant(math.inf)),
    "isinf": lambda x: elementwise("equal", elementwise("abs", numeric(x)), constant(math.inf)),
    "isnan": lambda x: elementwise("not_equal", numeric(x), numeric(x)),
}
ALIASES = {"bitwise_and": "logical_and", "bitwise_or": "logical_or", "bitwise_xor": "logical_xor"}
ALIASES |= {"bitwise_invert": "logical_not", "invert": "logical_not", "degrees": "rad2deg", "radians": "deg2rad"}


def _elementwise_function(name: str, arity: int) -> Callable[..., Recorded]:
    if arity == 1:
        return lambda x, /: apply(name, x)
    return lambda x, y, /: apply(name, x, y)


for _name, _operation in TABLE.items():
    if _name != "where":
        FUNCTIONS[_name] = _elementwise_function(_name, len(_operation.slopes))
for _name in COMPOSED:
    FUNCTIONS[_name] = _elementwise_function(_name, COMPOSED[_name].__code__.co_argcount)
for _alias, _name in ALIASES.items():
    FUNCTIONS[_alias] = FUNCTIONS[_name]


@function("where")
def where(condition: Any, x: Any, y: Any, /) -> Recorded:
    nodes = as_node(condition), as_node(x), as_node(y)
    test = nodes[0] if nodes[0].boolean else elementwise("not_equal", nodes[0], constant(0.0))
    return Recorded(elementwise("where", test, numeric(nodes[1]), numeric(nodes[2])))


@function("select")
def select(condlist: Any, choicelist: Any, default: Any = 0) -> Recorded:
    if len(condlist) != len(choicelist):
        raise ValueError("select: condlist and choicelist have one length")
    result = Recorded(numeric(as_node(default)))
    for condition, choice in zip(reversed(condlist), reversed(choicelist), strict=True):
        result = where(condition, choice, result)
    return result


@function("clip")
def clip(
    x: Any,
    low: Any = None,
    high: Any = None,
    /,
    *,
    a_min: Any = None,
    a_max: Any = None,
    min: Any = None,
    max: Any = None,
) -> Recorded:
    bounds = [[b for b in group if b is not None] for group in ((low, a_min, min), (high, a_max, max))]
    if any(len(group) > 1 for group in bounds):
        raise TypeError("clip: one lower and one upper bound at most")
    result = Recorded(numeric(as_node(x)))
    for name, group in zip(("maximum", "minimum"), bounds, strict=True):
        for bound in group:
            result = apply(name, result, bound)
    return result


@function("round", "around", "rint")
def round_(x: Any, /, decimals: int = 0) -> Recorded:
    if decimals == 0:
        return apply("round", x)
    scale = 10.0 ** abs(decimals)
    return apply("round", x * scale) / scale if decimals > 0 else apply("round", x / scale) * scale


@function("fix")
def fix(x: Any, /) -> Recorded:
    return apply("trunc", x)


# Making and looking at arrays.


@function("asarray", "array", "asanyarray", "ascontiguousarray", "copy")
def asarray(value: Any, /, dtype: Any = None, *, device: Any = None, copy: bool | None = None) -> Any:
    if isinstance(value, Recorded):
        return value if dtype is None else astype(value, dtype)
    node = as_node(value)
    return Recorded(node) if not node.is_constant else node.data if dtype is None else node.data.astype(dtype)


@function("astype")
def astype(x: Any, dtype: Any, /, *, copy: bool = True, device: Any = None) -> Recorded:
    node = as_node(x)
    if numpy.dtype(dtype) == numpy.float64:
        return Recorded(numeric(node))
    if numpy.dtype(dtype) == numpy.bool:
        return Recorded(node if node.boolean else elementwise("not_equal", node, constant(0.0)))
    raise refuse(f"a conversion to {numpy.dtype(dtype)}", "write floor, trunc or round; dtypes follow theta")


def _like(name: str) -> Callable[..., Any]:
    def like(x: Any, /, *arguments: Any, dtype: Any = None, device: Any = None) -> Any:
        return getattr(numpy, name)(numpy.empty(as_node(x).shape), *arguments, dtype=dtype)

    return like


for _name in ("zeros_like", "ones_like", "full_like", "empty_like"):
    FUNCTIONS[_name] = _like(_name)


@function("shape")
def shape(x: Any, /) -> tuple[int, ...]:
    return as_node(x).shape


@function("ndim")
def ndim(x: Any, /) -> int:
    return len(as_node(x).shape)


@function("size")
def size(x: Any, axis: int | None = None, /) -> int:
    node = as_node(x)
    return node.size if axis is None else node.shape[axis]


def _of_numbers(name: str) -> Callable[..., Any]:
    """NumPy's own function, for arrays that do not depend on θ."""
    numpys = getattr(numpy, name)

    def make(*arguments: Any, **options: Any) -> Any:
        options.pop("device", None)
        return numpys(*arguments, **options)

    return make


for _name in ("arange", "empty", "eye", "full", "linspace", "ones", "zeros"):
    FUNCTIONS[_name] = _of_numbers(_name)


@function("result_type")
def result_type(*arguments: Any) -> Any:
    return numpy.result_type(*(a.dtype if isinstance(a, Recorded) else a for a in arguments))


@function("isdtype")
def isdtype(dtype: Any, kind: Any) -> bool:
    return numpy.isdtype(numpy.dtype(dtype), kind)


@function("finfo", "iinfo")
def finfo(kind: Any, /) -> Any:
    return numpy.finfo(kind.dtype if isinstance(kind, Recorded) else kind)


@function("can_cast")
def can_cast(one: Any, other: Any, /) -> bool:
    return numpy.can_cast(one.dtype if isinstance(one, Recorded) else one, other)
