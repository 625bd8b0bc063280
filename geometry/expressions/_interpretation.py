"""Recorded functions on arrays of any library, and on balls."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy

from geometry._namespace import Array, Namespace, device_of, quietly
from geometry.expressions._nodes import Node, ordered, places
from geometry.expressions._operations import TABLE

__all__ = ["evaluate", "evaluate_balls"]


@quietly
def evaluate(nodes: Sequence[Node], xp: Namespace, theta: Array, vector: Array | None = None) -> list[Array]:
    """Nodes at θ, each of shape (batch..., node shape).

    Parameters
    ----------
    nodes : sequence of Node
    xp : namespace
    theta : array (batch..., d)
    vector : array (batch..., d), optional
        What the input of that name stands for.
    """
    batch, order = tuple(theta.shape[:-1]), list(ordered(nodes))
    last = {argument: node for node in order for argument in node.arguments} | dict.fromkeys(nodes)
    results: dict[Node, Array] = {}
    for node in order:
        if node.operation in ("theta", "vector"):
            results[node] = theta if node.operation == "theta" else vector
        elif node.is_constant:
            dtype = xp.bool if node.boolean else theta.dtype
            results[node] = xp.asarray(node.data, dtype=dtype, device=device_of(theta))
        else:
            results[node] = _operate(xp, node, [results[argument] for argument in node.arguments], batch)
            for used in {argument for argument in node.arguments if last[argument] is node}:
                del results[used]  # arrays of a number for each term of each sum
    return [_whole(xp, results[node], batch + node.shape) for node in nodes]


def _whole(xp: Namespace, array: Array, shape: tuple[int, ...]) -> Array:
    return array if tuple(array.shape) == shape else xp.broadcast_to(array, shape)


def _operate(xp: Namespace, node: Node, arguments: list[Array], batch: tuple[int, ...]) -> Array:
    """One operation, of arrays of shape (batch..., argument shape); those of constants have no batch."""
    match node.operation:
        case "take":
            return _taken(xp, node, arguments[0], batch)
        case "join":
            parts = [
                xp.reshape(xp.broadcast_to(array, batch + argument.shape), (*batch, argument.size))
                for array, argument in zip(arguments, node.arguments, strict=True)
            ]
            return xp.concat(parts, axis=-1)
        case "sum":
            return xp.sum(arguments[0], axis=-1)
        case "largest":
            return xp.max(arguments[0], axis=-1)
        case _:
            return getattr(xp, node.operation)(*arguments)


def _taken(xp: Namespace, node: Node, array: Array, batch: tuple[int, ...]) -> Array:
    (argument,) = node.arguments
    array = _whole(xp, array, batch + argument.shape)  # what follows from constants alone has no batch
    flat = (*batch, argument.size)
    if node.size == argument.size and numpy.array_equal(node.data.reshape(-1), numpy.arange(argument.size)):
        return xp.reshape(array, batch + node.shape)
    if (view := _as_view(node, argument)) is not None:
        return xp.broadcast_to(xp.reshape(array, batch + view), batch + node.shape)
    array = xp.reshape(array, flat)
    indices = node.data.reshape(-1)
    if numpy.any(indices < 0):
        array = xp.concat([array, xp.zeros((*batch, 1), dtype=array.dtype, device=device_of(array))], axis=-1)
        indices = numpy.where(indices < 0, argument.size, indices)
    indices = xp.asarray(indices, device=device_of(array))
    return xp.reshape(xp.take(array, indices, axis=-1), batch + node.shape)


def _as_view(node: Node, argument: Node) -> tuple[int, ...] | None:
    """The shape that broadcasts to what a `take` takes, if it takes every entry in its order."""
    padded = (1,) * (len(node.shape) - len(argument.shape)) + argument.shape
    if len(padded) != len(node.shape) or any(n not in (1, m) for n, m in zip(padded, node.shape, strict=True)):
        return None
    view = numpy.broadcast_to(places(argument).reshape(padded), node.shape)
    return padded if numpy.array_equal(view, node.data) else None


def evaluate_balls(nodes: Sequence[Node], theta: Sequence[Any]) -> list[Any]:
    """Nodes at a point of balls (python-flint's `arb`), as object arrays of the nodes' shapes.

    The working precision is the caller's. A condition that the balls do not decide gives the hull of both branches.
    """
    from flint import arb

    results: dict[Node, Any] = {}
    for node in ordered(nodes):
        arguments = [results[argument] for argument in node.arguments]
        match node.operation:
            case "theta":
                result = _objects(list(theta), node.shape)
            case "constant":
                entries = node.data.reshape(-1).tolist()
                result = _objects(entries if node.boolean else [arb(x) for x in entries], node.shape)
            case "take":
                padded = [*arguments[0].reshape(-1), arb(0)]
                result = _objects([padded[i] for i in node.data.reshape(-1)], node.shape)
            case "join":
                result = _objects([x for argument in arguments for x in argument.reshape(-1)], node.shape)
            case "sum":
                result = _rows(arguments[0], lambda row: sum(row, arb(0)))
            case "largest":
                result = _rows(arguments[0], _largest)
            case "matmul":
                result = arguments[0] @ arguments[1]
            case name:
                flat = [argument.reshape(-1) for argument in arguments]
                result = _objects([TABLE[name].ball(*x) for x in zip(*flat, strict=True)], node.shape)
        results[node] = result
    return [results[node] for node in nodes]


def _objects(entries: list[Any], shape: tuple[int, ...]) -> Any:
    result = numpy.empty(len(entries), dtype=object)
    result[:] = entries
    return result.reshape(shape)


def _rows(array: Any, function: Any) -> Any:
    """A function of every row along the last axis."""
    rows = array.reshape(-1, array.shape[-1])
    return _objects([function(list(row)) for row in rows], array.shape[:-1])


def _largest(row: list[Any]) -> Any:
    result = row[0]
    for entry in row[1:]:
        result = result.max(entry)
    return result
