"""Derivatives by the array's own framework: PyTorch and JAX offer the same transforms under the same names."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from functools import lru_cache, partial
from typing import Any

import numpy

from geometry._namespace import (
    Array,
    Namespace,
    device_of,
    epsilon,
    holds,
    is_compiling,
    is_jax_namespace,
    is_torch_namespace,
    is_traced,
)

__all__ = [
    "blindness",
    "constant",
    "either",
    "hessian",
    "hessian_vector",
    "is_differentiable",
    "is_recorded",
    "numbers",
    "symmetric_solve",
    "value_and_gradient",
    "with_derivative_of",
    "without_derivative",
]


def is_differentiable(xp: Namespace) -> bool:
    """Whether arrays of this namespace can be differentiated by their framework."""
    return is_jax_namespace(xp) or is_torch_namespace(xp)


def _transforms(xp: Namespace) -> Any:
    """The module with `grad` and `vmap`."""
    if is_jax_namespace(xp):
        import jax

        return jax
    import torch.func

    return torch.func


def value_and_gradient(xp: Namespace, value: Callable[[Array], Array], theta: Array) -> tuple[Array, Array]:
    """f(θ) and ∇f(θ) of every batch item: items are independent, so the gradient of their sum holds each one's own."""

    def total(t: Array) -> tuple[Array, Array]:
        heights = value(t)
        return xp.sum(heights), heights

    gradient, heights = _transforms(xp).grad(total, has_aux=True)(theta)
    return heights, gradient


def hessian_vector(xp: Namespace, gradient: Callable[[Array], Array], theta: Array, vector: Array) -> Array:
    """∇²f(θ) v, the gradient of ⟨∇f, v⟩."""
    return _transforms(xp).grad(lambda t: xp.sum(gradient(t) * vector))(theta)


def hessian(xp: Namespace, gradient: Callable[[Array], Array], theta: Array) -> Array:
    """∇²f(θ), one column a coordinate direction."""

    def column(direction: Array) -> Array:
        return hessian_vector(xp, gradient, theta, xp.zeros_like(theta) + direction)

    identity = xp.eye(theta.shape[-1], dtype=theta.dtype, device=device_of(theta))
    columns = _transforms(xp).vmap(column)(identity)
    return xp.permute_dims(columns, (*range(1, columns.ndim), 0))


def is_recorded(xp: Namespace, *arrays: Array) -> bool:
    """Whether the framework may want a derivative of what follows from these arrays."""
    if is_jax_namespace(xp):
        return is_traced(*arrays)
    if not is_torch_namespace(xp):
        return False
    import torch
    from torch.autograd import forward_ad

    if getattr(forward_ad, "_current_level", -1) >= 0:  # there is no public word for "within a dual level"
        return True
    return torch.is_grad_enabled() and any(array.requires_grad for array in arrays)


def constant(xp: Namespace, array: Array) -> Array:
    """The same numbers, without a derivative."""
    if is_jax_namespace(xp):
        import jax

        return jax.lax.stop_gradient(array)
    return array.detach() if is_torch_namespace(xp) else array


def with_derivative_of(xp: Namespace, known: Array, derived: Array) -> Array:
    """The numbers of `known` to the last bit, with the derivatives of `derived`."""
    if is_jax_namespace(xp):
        return _borrowed_by_jax()(constant(xp, known), derived)
    from geometry._torch import Borrow, BorrowInBothModes

    borrow = Borrow if is_compiling() else BorrowInBothModes
    return borrow.apply(constant(xp, known), derived)


@lru_cache(maxsize=1)
def _borrowed_by_jax() -> Callable[[Array, Array], Array]:
    import jax

    borrow = jax.custom_jvp(lambda known, derived: known)
    borrow.defjvp(lambda primals, tangents: (borrow(*primals), tangents[1]))
    return borrow


def either(xp: Namespace, condition: Array, yes: Callable[[], Array], no: Callable[[], Array]) -> Array:
    """The result of one of two functions: derivatives of the other, which may be NaN, have no part in it."""
    if is_traced(condition):
        import jax

        return jax.lax.cond(condition, yes, no)
    return yes() if holds(condition) else no()


def without_derivative(xp: Namespace, known: Array, reason: str, *recorded: Array) -> Array:
    """The same numbers; whoever asks for a derivative by what is recorded gets a `TypeError` with the reason."""
    if is_jax_namespace(xp):
        import jax

        refuse = jax.custom_jvp(lambda array, *_: array)
        refuse.defjvp(lambda primals, tangents: _refuse(reason))
        return refuse(constant(xp, known), *recorded)
    from geometry._torch import Refuse

    return Refuse.apply(partial(_refuse, reason), known.detach(), *recorded)


def _refuse(reason: str) -> Any:
    raise TypeError(reason)


def blindness(xp: Namespace, gradient: Callable[[Array], Array], theta: Array, trials: numpy.ndarray) -> str | None:
    """Why the framework finds no derivative of a gradient that has one, in words; "" where nothing speaks against it.

    A detached gradient changes with θ, yet its derivatives are exactly zero: so at trial points (k, d), which are
    numbers under most transforms too. None where they are not.
    """
    with numbers(xp):
        points = xp.asarray(trials, dtype=theta.dtype, device=device_of(theta))
        step = xp.full_like(points, epsilon(xp, theta.dtype) ** 0.25)
        try:
            here, there = gradient(points), gradient(points + step)
        except Exception:  # whatever it is, the user's own call meets it
            return ""
        try:
            bent = hessian_vector(xp, gradient, points, step)
        except (TypeError, ValueError, RuntimeError, NotImplementedError) as error:
            return str(error).partition("\n")[0]
        moves = xp.abs(constant(xp, there - here)) > epsilon(xp, theta.dtype) ** 0.5 * xp.abs(constant(xp, here))
        lost = xp.any(xp.all(moves & (constant(xp, bent) == 0), axis=0))
    if is_traced(lost):
        return None
    return "its derivatives are zero, yet it changes: it is detached from θ" if holds(lost) else ""


def numbers(xp: Namespace) -> Any:
    """Where arrays that depend on no argument of a transformed function are numbers, and no symbols."""
    if not is_jax_namespace(xp):
        return nullcontext()
    import jax

    return jax.ensure_compile_time_eval()


def symmetric_solve(xp: Namespace, product: Callable[[Array], Array], solve: Callable[..., Array], b: Array) -> Array:
    """``solve(product, b)``, the solution of a symmetric linear system, differentiated as a linear function of b."""
    if is_jax_namespace(xp):
        import jax

        return jax.lax.custom_linear_solve(product, b, solve, symmetric=True)
    from geometry._torch import Solve

    return Solve.apply(partial(solve, product), b)
