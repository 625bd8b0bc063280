"""How θ is handed over as parameters: a model has matrices, vectors and scalars, and an optimizer moves them all."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate, pairwise
from math import isqrt, prod
from typing import Any

from geometry._namespace import Array, array_namespace

__all__ = ["entry_name", "joined", "leaf_of", "shapes", "split"]

Shape = tuple[int, ...]


def shapes(theta: Shape) -> tuple[Shape, ...]:
    """The shapes of the parameters that θ of a shape is split into, in its order.

    A vector of an odd number of entries is one parameter, as it is; one of an even number is a matrix where there is
    room for one, a vector, and a number without an axis. So both are asked, and the same θ is always split alike.
    What is a matrix already has a meaning as such, and stays whole.

    Examples
    --------
    >>> shapes((3,)), shapes((2,)), shapes((10,)), shapes((2, 4))
    (((3,),), ((1,), ()), ((2, 3), (3,), ()), ((2, 4),))
    """
    if len(theta) != 1 or theta[0] % 2 or not theta[0]:
        return (theta,)
    rows = isqrt(3 * theta[0] // 5)
    matrix = (rows, 3 * theta[0] // 5 // rows)
    return ((theta[0] - 1,), ()) if rows < 2 else (matrix, (theta[0] - 1 - prod(matrix),), ())


def split(theta: Array) -> list[Array]:
    """θ as parameters of these shapes.

    Examples
    --------
    >>> import numpy as np
    >>> split(np.array([1.0, 2.0]))
    [array([1.]), array(2.)]
    """
    xp, parts = array_namespace(theta), shapes(tuple(theta.shape))
    if len(parts) == 1:
        return [theta]
    ends = accumulate(map(prod, parts), initial=0)
    return [xp.reshape(theta[start:end], shape) for (start, end), shape in zip(pairwise(ends), parts, strict=True)]


def joined(parts: Any) -> Array:
    """θ of its parameters.

    Examples
    --------
    >>> import numpy as np
    >>> joined([np.array([1.0]), np.array(2.0)])
    array([1., 2.])
    """
    parts = list(parts)
    if len(parts) == 1:
        return parts[0]
    xp = array_namespace(*parts)
    return xp.concat([xp.reshape(part, (-1,)) for part in parts])


def leaf_of(index: int, theta: Shape) -> tuple[int, int, Shape]:
    """The number of the parameter that holds an entry of θ, the number of the entry in it, and its shape.

    Examples
    --------
    >>> leaf_of(7, (10,))
    (1, 1, (3,))
    """
    ends = list(accumulate(map(prod, parts := shapes(theta))))
    number = bisect_right(ends, index)
    return number, index - ends[number] + prod(parts[number]), parts[number]


def entry_name(index: int, shape: Shape, part: str) -> str:
    """What an entry of an array is called, as Python would index it.

    Examples
    --------
    >>> entry_name(3, (5,), "theta"), entry_name(3, (2, 2), "theta"), entry_name(0, (), "scale")
    ('theta[3]', 'theta[1, 1]', 'scale')
    """
    places = []
    for length in reversed(shape):
        index, place = divmod(index, length)
        places.append(str(place))
    return f"{part}[{', '.join(reversed(places))}]" if places else part
