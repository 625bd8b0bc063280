"""Functions that only move entries of recorded arrays.

They are NumPy's functions of the indices, so that they take what NumPy takes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy

from geometry.expressions import _nodes
from geometry.expressions._functions import FUNCTIONS, function
from geometry.expressions._nodes import places
from geometry.expressions._recorder import Recorded, as_node, numeric, refuse

__all__ = ["broadcast_to", "concatenate", "diagonal", "moveaxis", "ravel", "reshape", "stack", "transpose"]


def _moves(numpys: Callable[..., Any]) -> Callable[..., Recorded]:
    def move(x: Any, /, *arguments: Any, **options: Any) -> Recorded:
        node = as_node(x)
        return Recorded(_nodes.take(node, numpys(places(node), *arguments, **options)))

    return move


def _joins(numpys: Callable[..., Any]) -> Callable[..., Recorded]:
    def assemble(
        arrays: Sequence[Any], /, *arguments: Any, dtype: Any = None, out: Any = None, **options: Any
    ) -> Recorded:
        if dtype is not None or out is not None:
            raise refuse("dtype= or out= of a function that joins arrays")
        nodes = [numeric(as_node(array)) for array in arrays]
        starts = numpy.cumsum([0, *(node.size for node in nodes)])
        parts = [start + places(node) for start, node in zip(starts, nodes, strict=False)]
        return Recorded(_nodes.take(_nodes.join(nodes), numpys(parts, *arguments, **options)))

    return assemble


MOVES = (
    *("atleast_1d", "atleast_2d", "atleast_3d", "broadcast_to", "diagonal", "expand_dims"),
    *("flip", "fliplr", "flipud", "matrix_transpose", "moveaxis", "permute_dims", "ravel", "repeat", "roll"),
    *("rollaxis", "rot90", "squeeze", "swapaxes", "take", "tile"),
)
JOINS = ("column_stack", "concatenate", "dstack", "hstack", "stack", "vstack")
for _name in MOVES:
    FUNCTIONS[_name] = _moves(getattr(numpy, _name))
for _name in JOINS:
    FUNCTIONS[_name] = _joins(getattr(numpy, _name))
FUNCTIONS["flatten"] = FUNCTIONS["ravel"]
FUNCTIONS["concat"] = FUNCTIONS["concatenate"]
broadcast_to, diagonal, moveaxis = FUNCTIONS["broadcast_to"], FUNCTIONS["diagonal"], FUNCTIONS["moveaxis"]
concatenate, ravel, stack = FUNCTIONS["concatenate"], FUNCTIONS["ravel"], FUNCTIONS["stack"]


@function("reshape")
def reshape(x: Any, /, *shape: Any, copy: bool | None = None, **options: Any) -> Recorded:
    """As NumPy's function and as its method: of a tuple, or of several numbers."""
    node = as_node(x)
    if shape:
        return Recorded(_nodes.take(node, places(node).reshape(*shape, **options)))
    return Recorded(_nodes.take(node, numpy.reshape(places(node), **options)))


@function("transpose")
def transpose(x: Any, /, *axes: Any, **options: Any) -> Recorded:
    node = as_node(x)
    axes = (options.pop("axes"),) if "axes" in options else axes
    return Recorded(_nodes.take(node, places(node).transpose(*axes, **options)))


def _fills(numpys: Callable[..., Any]) -> Callable[..., Recorded]:
    """A function that fills with zeros, which are the entries of place −1."""

    def fill(x: Any, /, k: int = 0) -> Recorded:
        node = as_node(x)
        return Recorded(_nodes.take(node, numpys(places(node) + 1, k=k) - 1))

    return fill


for _name in ("diag", "diagflat", "tril", "triu"):
    FUNCTIONS[_name] = _fills(getattr(numpy, _name))


@function("unstack")
def unstack(x: Any, /, *, axis: int = 0) -> tuple[Recorded, ...]:
    return tuple(moveaxis(x, axis, 0))


@function("meshgrid")
def meshgrid(*arrays: Any, indexing: str = "xy") -> list[Recorded]:
    nodes = [as_node(array) for array in arrays]
    grids: Any = numpy.meshgrid(*map(places, nodes), indexing=indexing)  # type: ignore[call-overload]
    return [Recorded(_nodes.take(node, grid)) for node, grid in zip(nodes, grids, strict=True)]


@function("broadcast_arrays")
def broadcast_arrays(*arrays: Any) -> list[Recorded]:
    nodes = [as_node(array) for array in arrays]
    shape = numpy.broadcast_shapes(*(node.shape for node in nodes))
    return [broadcast_to(Recorded(node), shape) for node in nodes]


_padded: Any = numpy.pad


@function("pad")
def pad(x: Any, pad_width: Any, mode: str = "constant", **options: Any) -> Recorded:
    node = as_node(x)
    if mode != "constant":
        if mode not in ("edge", "reflect", "symmetric", "wrap"):
            raise refuse(f"pad with mode={mode!r}")
        return Recorded(_nodes.take(node, _padded(places(node), pad_width, mode=mode, **options)))
    if options.pop("constant_values", 0) != 0 or options:
        raise refuse("pad with other values than 0", "use concatenate")
    return Recorded(_nodes.take(node, numpy.pad(places(node), pad_width, constant_values=-1)))
