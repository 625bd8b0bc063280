"""The ball's steps and the paper's inner loop, for one item after the other, over a compiled function.

They are compiled once for all functions, and so apart from the search that they call: all come by their addresses.
The order of every operation is that of `rbo_ref.rolling_ball` and of `geometry.Descent`.
"""

from __future__ import annotations

import math

import numpy as np
from numba import types

from geometry._kernels.compiling import compiled
from geometry._kernels.pointers import address
from geometry._kernels.search import ANY, POINTER

__all__ = ["descent", "roll"]

VECTOR, MATRIX, ARRAYS = types.float64[::1], types.float64[:, ::1], types.float64[:, :, ::1]
SEARCH = types.FunctionType(ANY)

_compiled = compiled(error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)


@_compiled
def _evaluated(function, theta, gradient, hessian):
    """f(θ); ∇f and, where the function has it, ∇²f are stored."""
    return function(address(theta), address(gradient), address(hessian))


@_compiled
def _copy(source, target):
    for i in range(len(source)):
        target[i] = source[i]


@_compiled
def _descend(function, x, y, rate, steps, theta, value, gradient, hessian):
    """θ ← θ − γ((θ − x) + (f − y)g), in place, from a contact where f and g are known."""
    for step in range(steps):
        if step > 0:
            value = _evaluated(function, theta, gradient, hessian)
        for i in range(len(theta)):
            theta[i] = theta[i] - rate * ((theta[i] - x[i]) + (value - y) * gradient[i])


@_compiled
def _stand(theta, value, gradient, radius, center):
    """c = p + ρν with ν = (−g, 1)/√(1+|g|²), as in `geometry.upward_normal`."""
    d = len(theta)
    size = 0.0
    for i in range(d):
        entry = abs(gradient[i])
        if entry > size or entry != entry:
            size = entry
    size = size / 4 if size > 4 else 1.0
    square = 0.0
    for i in range(d + 1):
        center[i] = (-gradient[i] if i < d else 1.0) / size
        square += center[i] * center[i]
    root = math.sqrt(square)
    for i in range(d + 1):
        center[i] = (theta[i] if i < d else value) + radius * (center[i] / root)


@_compiled
def _push(center, gradient, rate, candidate):
    """c − ητ with τ = (g, |g|²)."""
    d = len(gradient)
    square = 0.0
    for i in range(d):
        square += gradient[i] * gradient[i]
        candidate[i] = center[i] - rate * gradient[i]
    candidate[d] = center[d] - rate * square


@_compiled
def _slide(center, theta, value, gradient, rate, candidate):
    """c + δ, where δ is −ητ without its part along u = c − p, Eqs. (10) to (12)."""
    d = len(gradient)
    square = 0.0
    for i in range(d):
        square += gradient[i] * gradient[i]
    along, size = 0.0, 0.0
    for i in range(d + 1):
        u = center[i] - (theta[i] if i < d else value)
        candidate[i] = -rate * (gradient[i] if i < d else square)
        along += u * candidate[i]
        size += u * u
    share = along / size
    for i in range(d + 1):
        u = center[i] - (theta[i] if i < d else value)
        candidate[i] = center[i] + (candidate[i] - share * u)


@compiled(types.void(POINTER, MATRIX, VECTOR, types.int64, types.int64, types.int64, MATRIX), error_model="numpy")
def descent(function, queries, rates, steps, first, stop, thetas):
    """`steps` inner steps for the queries (n, d+1) first, ..., stop − 1, from thetas (n, d), in place."""
    d = thetas.shape[1]
    gradient, hessian = np.empty(d), np.empty(d * d)
    for n in range(first, stop):
        value = _evaluated(function, thetas[n], gradient, hessian) if steps > 0 else 0.0
        query = queries[n]
        _descend(function, query[:d], query[d], rates[n], steps, thetas[n], value, gradient, hessian)


@compiled(
    types.void(
        POINTER, POINTER, SEARCH, types.boolean, types.boolean, types.boolean, *[types.float64], *[types.int64] * 5,
        MATRIX, ARRAYS, MATRIX, ARRAYS,
    ),
    error_model="numpy",
)  # fmt: skip
def roll(
    first_order, second_order, search, carried, searched, newton, tolerance, inner, since, until, first, stop,
    balls, thetas, heights, centers,
):  # fmt: skip
    """Steps since, ..., until − 1 of the balls first, ..., stop − 1, with the contact at `until`.

    A ball is (ρ, η, γ). θ_since is in `thetas` (steps+1, n, d); where centres are carried (the variant "distance"),
    c_since is in `centers` (steps+1, n, d+1), but for the first. A contact is found by a search, or by inner steps.
    """
    d = thetas.shape[2]
    hessian, candidates, starts, feet = np.empty(d * d), np.empty((1, d + 1)), np.empty((1, d)), np.empty((1, d))
    values, gradients, counts = np.empty(1), np.empty((1, d)), np.empty((2, 1), np.int64)
    theta, gradient, candidate = starts[0], gradients[0], candidates[0]
    for n in range(first, stop):
        radius, rate, inner_rate = balls[n, 0], balls[n, 1], balls[n, 2]
        nothing = 0 * (radius + rate)
        for t in range(since, until + 1):
            for i in range(d):
                theta[i] = thetas[t, n, i] + nothing
            value = _evaluated(first_order, theta, gradient, hessian)
            center = centers[t, n]
            heights[t, n] = value
            if t == 0 or not carried:
                _stand(theta, value, gradient, radius, center)
            if t == until:
                break
            if carried:
                _slide(center, theta, value, gradient, rate, candidate)
                _copy(candidate, centers[t + 1, n])
            else:
                _push(center, gradient, rate, candidate)
            if searched:
                search(
                    first_order, second_order, candidates, starts, newton, tolerance, inner, 0, 1,
                    feet, values, gradients, counts[0], counts[1], d,
                )  # fmt: skip
                _copy(feet[0], thetas[t + 1, n])
            else:
                _descend(first_order, candidate[:d], candidate[d], inner_rate, inner, theta, value, gradient, hessian)
                _copy(theta, thetas[t + 1, n])
