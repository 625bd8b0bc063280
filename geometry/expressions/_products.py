"""Products and norms of recorded arrays."""

from __future__ import annotations

import math
from functools import reduce
from string import ascii_letters
from typing import Any

import numpy

from geometry.expressions import _nodes
from geometry.expressions._functions import COMPOSED, apply, function
from geometry.expressions._nodes import Node, places
from geometry.expressions._rearranging import broadcast_to, diagonal, moveaxis, ravel, reshape, stack, transpose
from geometry.expressions._recorder import Recorded, as_node, numeric, refuse
from geometry.expressions._reductions import count_nonzero, largest, smallest, sum_

__all__: list[str] = []


def _matmul(x: Node, y: Node) -> Node:
    """As in NumPy: vectors are a row on the left and a column on the right, leading axes broadcast."""
    left, right = Recorded(numeric(x)), Recorded(numeric(y))
    if not left.ndim or not right.ndim:
        raise ValueError("matmul: both operands must have at least one axis")
    rows = left[None, :] if left.ndim == 1 else left
    columns = right[:, None] if right.ndim == 1 else right
    if rows.shape[-1] != columns.shape[-2]:
        raise ValueError(f"matmul: the shapes {left.shape} and {right.shape} do not fit")
    stacked = numpy.broadcast_shapes(rows.shape[:-2], columns.shape[:-2])
    pair = [broadcast_to(array, (*stacked, *array.shape[-2:])).node for array in (rows, columns)]
    product = Recorded(_nodes.matmul(*pair))
    product = product[..., 0] if right.ndim == 1 else product
    if left.ndim > 1:
        return product.node
    return (product[..., 0] if right.ndim == 1 else product[..., 0, :]).node


COMPOSED["matmul"] = _matmul


@function("matmul", "linalg.matmul")
def matmul(x: Any, y: Any, /) -> Recorded:
    return apply("matmul", x, y)


@function("dot")
def dot(a: Any, b: Any, /) -> Recorded:
    x, y = as_node(a), as_node(b)
    if not x.shape or not y.shape:
        return apply("multiply", a, b)
    return tensordot(a, b, axes=((-1,), (-2,))) if len(y.shape) > 1 else apply("matmul", a, b)


@function("inner")
def inner(a: Any, b: Any, /) -> Recorded:
    if not as_node(a).shape or not as_node(b).shape:
        return apply("multiply", a, b)
    return tensordot(a, b, axes=((-1,), (-1,)))


@function("vecdot", "linalg.vecdot")
def vecdot(x: Any, y: Any, /, *, axis: int = -1) -> Recorded:
    return sum_(apply("multiply", x, y), axis=axis)


@function("vdot")
def vdot(a: Any, b: Any, /) -> Recorded:
    return sum_(ravel(a) * ravel(b))


@function("outer", "linalg.outer")
def outer(a: Any, b: Any, /) -> Recorded:
    return ravel(a)[:, None] * ravel(b)[None, :]


@function("tensordot", "linalg.tensordot")
def tensordot(a: Any, b: Any, /, axes: Any = 2) -> Recorded:
    x, y = Recorded(numeric(as_node(a))), Recorded(numeric(as_node(b)))
    if isinstance(axes, int):
        axes = (range(x.ndim - axes, x.ndim), range(axes))
    left, right = _axes(axes[0], x.ndim), _axes(axes[1], y.ndim)
    rows, columns = [i for i in range(x.ndim) if i not in left], [i for i in range(y.ndim) if i not in right]
    product = apply("matmul", _matrix(x, rows, left), _matrix(y, right, columns))
    return reshape(product, tuple(x.shape[i] for i in rows) + tuple(y.shape[i] for i in columns))


def _axes(axes: Any, ndim: int) -> list[int]:
    return [int(axis) % ndim for axis in numpy.atleast_1d(numpy.asarray(axes, dtype=int))]


def _matrix(array: Recorded, down: list[int], across: list[int]) -> Recorded:
    """An array as a matrix, some axes down and the others across."""
    shape = tuple(math.prod(array.shape[i] for i in axes) for axes in (down, across))
    return reshape(transpose(array, [*down, *across]), shape)


@function("einsum")
def einsum(subscripts: str, /, *operands: Any, optimize: Any = False) -> Recorded:
    if not isinstance(subscripts, str):
        raise refuse("einsum with lists of axes", "write the subscripts as text")
    arrays = [Recorded(as_node(x)) for x in operands]
    terms, output = _terms(subscripts.replace(" ", ""), [array.ndim for array in arrays])
    order = [*output, *sorted(set("".join(terms)) - set(output))]
    factors = [_spread(term, array, order) for term, array in zip(terms, arrays, strict=True)]
    product = reduce(lambda x, y: apply("multiply", x, y), factors)
    summed = tuple(range(len(output), len(order)))
    return sum_(product, axis=summed) if summed else Recorded(numeric(product.node))


def _terms(subscripts: str, ndims: list[int]) -> tuple[list[str], str]:
    """The labels of each operand and of the result; the axes of an ellipsis get letters of their own."""
    inputs, arrow, output = subscripts.partition("->")
    terms = inputs.split(",")
    if len(terms) != len(ndims):
        raise ValueError(f"einsum: {subscripts!r} needs {len(terms)} operands, got {len(ndims)}")
    if not arrow:
        named = sorted(set(inputs) - set(".,"))
        output = "..." * ("..." in inputs) + "".join(c for c in named if inputs.count(c) == 1)
    hidden = [ndim - len(term) + 3 if "..." in term else 0 for term, ndim in zip(terms, ndims, strict=True)]
    letters = "".join(c for c in ascii_letters if c not in subscripts)[: max(hidden)]
    ended = [term.replace("...", letters[len(letters) - n :]) for term, n in zip(terms, hidden, strict=True)]
    return ended, output.replace("...", letters)


def _spread(term: str, array: Recorded, order: list[str]) -> Recorded:
    """An operand of einsum with an axis for each label of `order`; repeated labels are diagonals."""
    if len(term) != array.ndim:
        raise ValueError(f"einsum: {term!r} does not fit the shape {array.shape}")
    kept = "".join(c for c in order if c in term)
    moved = numpy.einsum(f"{term}->{kept}", places(array.node))
    lengths = dict(zip(kept, moved.shape, strict=True))
    return Recorded(_nodes.take(array.node, moved.reshape([lengths.get(c, 1) for c in order])))


@function("trace", "linalg.trace")
def trace(x: Any, /, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Recorded:
    return sum_(diagonal(x, offset=offset, axis1=axis1, axis2=axis2), axis=-1)


@function("cross", "linalg.cross")
def cross(a: Any, b: Any, /, *, axis: int = -1) -> Recorded:
    x, y = (moveaxis(array, axis, -1) for array in (a, b))
    if x.shape[-1] != 3 or y.shape[-1] != 3:
        raise refuse("cross of vectors that have not three components")
    parts = [x[..., i] * y[..., j] - x[..., j] * y[..., i] for i, j in ((1, 2), (2, 0), (0, 1))]
    return moveaxis(stack(parts, axis=-1), -1, axis)


@function("linalg.norm")
def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Recorded:
    ndim = len(as_node(x).shape)
    axes = tuple(range(ndim)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    if ord is None or (ord == "fro" and len(axes) == 2):
        return vector_norm(x, axis=axes, keepdims=keepdims)
    if len(axes) != 1 or isinstance(ord, str):
        raise refuse(f"the matrix norm ord={ord!r}", "write it out in sums")
    return vector_norm(x, axis=axes, keepdims=keepdims, ord=ord)


@function("linalg.vector_norm")
def vector_norm(x: Any, /, *, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Recorded:
    where: dict[str, Any] = {"axis": axis, "keepdims": keepdims}
    if ord == 0:
        return count_nonzero(x, **where)
    if ord == 2:
        return apply("sqrt", sum_(apply("square", x), **where))
    size = apply("abs", x)
    if abs(ord) == math.inf:
        return (largest if ord > 0 else smallest)(size, **where)
    return sum_(size, **where) if ord == 1 else sum_(size**ord, **where) ** (1 / ord)


@function("polyval")
def polyval(p: Any, x: Any, /) -> Any:
    result: Any = 0.0
    for coefficient in p:
        result = result * x + coefficient
    return result
