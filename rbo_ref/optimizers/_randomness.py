"""Random numbers that depend on a seed and on the number of the step alone, so that a step is a pure function."""

from __future__ import annotations

from typing import Any

import numpy

from geometry._namespace import (
    Array,
    array_namespace,
    broadcast,
    device_of,
    floating,
    is_jax_namespace,
    to_numpy,
    whole,
)

__all__ = ["check_seed", "drawn", "normals", "signs"]


def check_seed(seed: Any) -> None:
    """Raise unless `seed` is an integer from 0 to 2³² − 1."""
    if whole("seed", seed) >= 2**32:
        raise ValueError(f"seed must be less than 2**32, got {seed}")


def normals(seed: int, steps: Array, theta: Array, shape: tuple[int, ...]) -> Array:
    """Standard normal numbers of the library, dtype and device of `theta`.

    JAX draws its own, so that they can be traced; for all other libraries NumPy draws, and they get the same numbers.
    """
    if _is_jax(theta):
        import jax

        return jax.random.normal(_jax_key(seed, steps), shape, theta.dtype)
    return _like(theta, _generator(seed, steps).standard_normal(shape))


def signs(seed: int, steps: Array, theta: Array, shape: tuple[int, ...]) -> Array:
    """Numbers −1 and +1, each with probability ½ (Rademacher); see `normals`."""
    if _is_jax(theta):
        import jax

        return jax.random.rademacher(_jax_key(seed, steps), shape, theta.dtype)
    return _like(theta, 2.0 * _generator(seed, steps).integers(0, 2, shape) - 1)


def drawn(noise: Any, theta: Array, shape: tuple[int, ...]) -> Array:
    """The caller's numbers in place of random ones, in the dtype of `theta`; they broadcast to that shape."""
    xp, _, noise = floating("noise and theta", theta, noise)
    if broadcast(noise=noise.shape, theirs=shape) != shape:
        raise ValueError(f"noise must have shape {shape}, got {tuple(noise.shape)}")
    return xp.broadcast_to(xp.astype(noise, theta.dtype), shape)


def _is_jax(theta: Array) -> bool:
    return is_jax_namespace(array_namespace(theta))


def _jax_key(seed: int, steps: Array) -> Any:
    import jax

    return jax.random.fold_in(jax.random.key(seed), steps)


def _generator(seed: int, steps: Array) -> numpy.random.Generator:
    return numpy.random.Generator(numpy.random.Philox(key=[seed, int(to_numpy(steps))]))


def _like(theta: Array, values: numpy.ndarray) -> Array:
    return array_namespace(theta).asarray(values, dtype=theta.dtype, device=device_of(theta))
