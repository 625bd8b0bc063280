"""Derivatives of recorded functions: forward along a direction, or by one sweep backwards.

Both are made of the slopes of the table. A kink has the slope of the branch that is taken there; equal entries of a
maximum along an axis share its slope evenly.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy

from geometry.expressions._nodes import Node, constant, join, matmul, ordered, places, take, theta, total
from geometry.expressions._operations import TABLE, elementwise, over, plus, times, where

__all__ = ["FEW", "directional", "gradient", "hessian", "reverse_gradient"]

FEW = 6
"""Up to so many variables, derivatives are those along the axes; beyond, one sweep backwards is cheaper."""


def gradient(value: Node, d: int) -> Node:
    """∇f as a node of shape (d,)."""
    return join(_along_axes([value], d)) if d <= FEW else reverse_gradient(value, d)


def hessian(value: Node, d: int) -> Node:
    """∇²f as a node of shape (d, d), from second derivatives along the axes: d²/2 of them."""
    slopes = _along_axes([value], d)
    entries = [_along_axes(slopes[: i + 1], d, only=i) for i in range(d)]
    indices = [[_triangle(max(i, j)) + min(i, j) for j in range(d)] for i in range(d)]
    return take(join([entry for row in entries for entry in row]), numpy.asarray(indices))


def _triangle(n: int) -> int:
    return n * (n + 1) // 2


def _along_axes(nodes: Sequence[Node], d: int, only: int | None = None) -> list[Node]:
    """Derivatives of numbers along the axes, or along the axis `only`."""
    axes = range(d) if only is None else [only]
    return [slope for axis in axes for slope in directional(nodes, constant(numpy.eye(d)[axis]))]


def directional(nodes: Sequence[Node], direction: Node) -> list[Node]:
    """Derivatives of `nodes` along a direction (d,), each of its node's shape."""
    slopes: dict[Node, Node] = {}
    for node in ordered(nodes):
        slopes[node] = _pushed(node, [slopes[argument] for argument in node.arguments], direction)
    return [slopes[node] for node in nodes]


def _pushed(node: Node, slopes: list[Node], direction: Node) -> Node:
    """The derivative of one operation, given those of its arguments."""
    if node.operation == "theta":
        return direction
    if node.boolean or all(slope.is_zero for slope in slopes):
        return constant(numpy.zeros(node.shape))
    match node.operation:
        case "take":
            return take(slopes[0], node.data)
        case "join":
            return join(slopes)
        case "sum":
            return total(slopes[0])
        case "largest":
            return total(times(_share(node), slopes[0]))
        case "matmul":
            left, right = node.arguments
            first = constant(numpy.zeros(node.shape)) if slopes[0].is_zero else matmul(slopes[0], right)
            return plus(first, matmul(left, slopes[1])) if not slopes[1].is_zero else first
    operation = TABLE[node.operation]
    if operation.chooses:
        return where(_chosen(node), *slopes[-2:])
    result = constant(numpy.zeros(node.shape))
    for partial, slope in zip(operation.slopes, slopes, strict=True):
        if partial is not None and not slope.is_zero:
            result = plus(result, times(partial(*node.arguments, node), slope))
    return result


def _chosen(node: Node) -> Node:
    """Where the result is the first of the two arguments between which it chooses."""
    condition = next(slope for slope in TABLE[node.operation].slopes if slope is not None)
    return condition(*node.arguments, node)


def _share(node: Node) -> Node:
    """The slope of a maximum along the last axis: 1 over the number of entries that reach it, at those entries."""
    (entries,) = node.arguments
    reached = elementwise("equal", entries, take(node, _behind(node, entries.shape[-1])))
    ones = where(reached, constant(1.0), constant(0.0))
    return over(ones, take(total(ones), _behind(node, entries.shape[-1])))


def _behind(node: Node, length: int) -> Any:
    """Indices that repeat each entry of a node along a new last axis."""
    return numpy.broadcast_to(places(node)[..., None], (*node.shape, length))


def reverse_gradient(value: Node, d: int) -> Node:
    """∇f as a node of shape (d,), by one sweep backwards: it costs a few evaluations of f, whatever d is."""
    adjoints: dict[Node, Node] = {value: constant(1.0)}
    for node in reversed(list(ordered([value]))):
        adjoint = adjoints.get(node)
        if adjoint is None or node.operation == "theta":
            continue
        for argument, share in zip(node.arguments, _pulled(node, adjoint), strict=True):
            if share is not None and not argument.is_constant and not argument.boolean:
                adjoints[argument] = plus(adjoints[argument], share) if argument in adjoints else share
    return adjoints.get(theta(d), constant(numpy.zeros(d)))


def _pulled(node: Node, adjoint: Node) -> list[Node | None]:
    """What each argument gets of the adjoint of an operation; None for nothing."""
    arguments = node.arguments
    match node.operation:
        case "constant":
            return []
        case "take":
            return [_scattered(adjoint, node.data, arguments[0])]
        case "join":
            starts = numpy.cumsum([0, *(argument.size for argument in arguments)])
            return [take(adjoint, start + places(argument)) for start, argument in zip(starts, arguments, strict=False)]
        case "sum":
            return [take(adjoint, _behind(node, arguments[0].shape[-1]))]
        case "largest":
            return [times(_share(node), take(adjoint, _behind(node, arguments[0].shape[-1])))]
        case "matmul":
            left, right = arguments
            return [matmul(adjoint, _transposed(right)), matmul(_transposed(left), adjoint)]
    operation = TABLE[node.operation]
    if operation.chooses:
        chosen, zero = _chosen(node), constant(numpy.zeros(node.shape))
        shares = [where(chosen, adjoint, zero), where(chosen, zero, adjoint)]
        return [None] * (len(arguments) - 2) + shares
    return [
        None if partial is None or argument.is_constant else _product(adjoint, partial(*arguments, node))
        for partial, argument in zip(operation.slopes, arguments, strict=True)
    ]


def _product(adjoint: Node, slope: Node) -> Node:
    """Adjoint times slope, where nothing times anything is nothing: a branch that is not taken may have no slope."""
    product = times(adjoint, slope)
    if slope.is_constant or adjoint.is_constant:
        return product
    return where(elementwise("equal", adjoint, constant(0.0)), constant(0.0), product)


def _transposed(node: Node) -> Node:
    return take(node, numpy.swapaxes(places(node), -1, -2))


def _scattered(adjoint: Node, indices: Any, argument: Node) -> Node:
    """The adjoint of `take`: entry i of the argument gets the sum of the adjoints of all places that took it."""
    sources = indices.reshape(-1)
    order = numpy.argsort(sources, kind="stable")
    order = order[sources[order] >= 0]
    taken = sources[order]
    counts = numpy.bincount(taken, minlength=argument.size)
    most = int(counts.max(initial=0))
    if most == 0:
        return constant(numpy.zeros(argument.shape))
    table = numpy.full((argument.size, most), -1)
    table[taken, numpy.arange(len(taken)) - numpy.repeat(numpy.cumsum(counts) - counts, counts)] = order
    return total(take(adjoint, table.reshape(*argument.shape, most)))
