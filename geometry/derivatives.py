"""Whether the derivatives that a surface was given are those of its values."""

from __future__ import annotations

from collections.abc import Callable

import numpy

from geometry._namespace import Array, floating, to_numpy
from geometry.graph import FunctionGraph
from geometry.level_set import LevelSet

__all__ = ["check_gradient"]

STEPS = 2.0 ** -numpy.arange(2, 24)  # of difference quotients, in units of θ, or of 1
CLEAR = 64.0  # estimated errors of a difference quotient, which are beyond doubt
ROUGH = 1e-5  # of the greatest derivative: what constants may be rounded by where only quotients tell


def check_gradient(surface: FunctionGraph | LevelSet, theta: Array) -> None:
    """Raise if the gradient of a surface, or its Hessian if it was given one, is not that of its values.

    Parameters
    ----------
    surface : FunctionGraph or LevelSet
        With a gradient.
    theta : array (..., d)
        Where to look: points off the symmetries of the function, where wrong terms do not vanish. Points where it is
        not smooth have no say.

    Raises
    ------
    ValueError
        Names the entry that differs, where, and what it should be.
    TypeError, ValueError
        For arguments of the wrong kind or shape.

    Notes
    -----
    Values that can be recorded (`geometry.expressions.record`) are differentiated, so that differences of some 10⁻⁸ of
    the largest derivative are found. Other functions are compared with difference quotients in the dtype of θ, which
    leave room for slips of about 10⁻⁵.

    Examples
    --------
    >>> import numpy as np
    >>> value, gradient = lambda t: np.sin(3 * t[..., 0]), lambda t: np.cos(3 * t)
    >>> check_gradient(FunctionGraph(value, gradient, name="wave"), [[0.5]])
    Traceback (most recent call last):
        ...
    ValueError: wave: gradient[0] is 0.0707372017 at theta = [0.5], but the derivative of the value is 0.212211605
    >>> check_gradient(FunctionGraph(value, lambda t: 3 * np.cos(3 * t)), [[0.5]])
    """
    if not isinstance(surface, FunctionGraph | LevelSet):
        raise TypeError(f"surface must be a FunctionGraph or a LevelSet, got {surface!r}")
    xp, theta = floating("theta", theta)
    if theta.ndim == 0 or theta.shape[-1] == 0:
        raise ValueError(f"theta must have shape (..., d) with d >= 1, got {tuple(theta.shape)}")
    theta = xp.reshape(theta, (-1, theta.shape[-1]))
    if surface.given == {"value"}:
        raise TypeError(f"surface must come with a gradient or a Hessian, and {surface.name} was given no gradient")
    surface.gradient(theta)  # raises if the shapes are wrong
    try:
        told = surface.slip(to_numpy(theta).astype(float))
    except TypeError:
        _check_by_quotients(surface, "gradient", surface.value, theta)
        if surface.has_second_order(theta):
            _check_by_quotients(surface, "hessian", surface.gradient, theta)
        return
    if told:
        raise ValueError(f"{surface.name}: {told}")


def _check_by_quotients(
    surface: FunctionGraph | LevelSet, what: str, function: Callable[[Array], Array], theta: Array
) -> None:
    """Compare one derivative with difference quotients of the one before."""
    with numpy.errstate(all="ignore"):
        found = to_numpy(getattr(surface, what)(theta)).astype(float)
        for i in range(theta.shape[-1]):
            quotient, error = _quotients(function, theta, i)
            own = found[..., i]
            room = CLEAR * error + ROUGH * numpy.abs(found).max(initial=0.0)
            apart = (numpy.abs(own - quotient) > room) & (error < numpy.abs(own) + numpy.abs(quotient))
            if apart.any():
                at = tuple(int(k) for k in numpy.argwhere(apart)[0])
                entry = [*at[1:], i]
                raise ValueError(
                    f"{surface.name}: {what}{entry} is {own[at]:.9g} at theta = {to_numpy(theta)[at[0]].tolist()}, "
                    f"but the difference quotients of the {'value' if what == 'gradient' else 'gradient'} go to "
                    f"{quotient[at]:.9g}"
                )


def _quotients(function: Callable[[Array], Array], theta: Array, i: int) -> tuple[numpy.ndarray, numpy.ndarray]:
    """∂/∂θᵢ by central differences of fourth order, with the best of many steps; and about how wrong it is."""
    unit = numpy.eye(theta.shape[-1])[i]
    size = numpy.maximum(numpy.abs(to_numpy(theta)[:, i : i + 1]), 1.0)
    epsilon = numpy.finfo(to_numpy(theta).dtype).eps
    estimates, noise = [], []
    for step in STEPS:
        ends = [to_numpy(theta) + sign * step * size * unit for sign in (1, -1)]
        high, low = (_of_library(function, theta, end) for end in ends)
        width = (ends[0] - ends[1])[:, i].astype(float).reshape(-1, *(1,) * (high.ndim - 1))
        estimates.append((high - low) / width)
        noise.append(8 * epsilon * (numpy.abs(high) + numpy.abs(low)) / width)
    coarse, fine = numpy.stack(estimates[:-1]), numpy.stack(estimates[1:])
    better = (4 * fine - coarse) / 3
    error = numpy.abs(better[1:] - better[:-1]) + numpy.stack(noise[2:])
    error = numpy.where(numpy.isfinite(error), error, numpy.inf)
    best = error.argmin(0)[None]
    return numpy.take_along_axis(better[1:], best, 0)[0], numpy.take_along_axis(error, best, 0)[0]


def _of_library(function: Callable[[Array], Array], like: Array, theta: numpy.ndarray) -> numpy.ndarray:
    xp, like = floating("theta", like)
    result: numpy.ndarray = to_numpy(function(xp.asarray(theta, dtype=like.dtype))).astype(float)
    return result
