"""Ports of the optimizers in the package of the ball's authors, which move the parameters of a model of Flax."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

from geometry._namespace import Array
from rbo_ref.oracle.parts import joined, split

__all__ = ["ball", "entropy_sgd", "sam"]

Loss = Callable[[Array], tuple[Array, Array]]


def ball(factory: Callable[..., Any]) -> Callable[..., Any]:
    """Their Rolling Ball Optimizer: one step."""

    def step(
        loss: Loss,
        theta: Array,
        *,
        learning_rate: float,
        radius: float,
        projection_rate: float,
        projection_steps: int,
    ) -> Array:
        model = _model(theta)
        factory(model, learning_rate, radius, projection_rate, projection_steps).update(_served(loss))
        return _theta(model)

    return _of_jax(step)


def sam(factory: Callable[..., Any]) -> Callable[..., Any]:
    """Their SAM around Optax's SGD: a run."""

    def run(loss: Loss, theta: Array, *, iterations: int, learning_rate: float, radius: float) -> list[Array]:
        import optax

        model = _model(theta)
        optimizer = factory(model, optax.sgd(learning_rate), radius)
        return _path(optimizer, model, loss, iterations)

    return _of_jax(run)


def entropy_sgd(factory: Callable[..., Any]) -> Callable[..., Any]:
    """Their EntropySGD: a run in which ``jax.random.normal``, as its module sees it, gives the oracle's numbers.

    It has no parameter for the growth of the scope, which is handed over to nobody.
    """

    def run(
        loss: Loss,
        theta: Array,
        *,
        iterations: int,
        draws: Array,
        learning_rate: float,
        steps: int,
        inner_rate: float,
        noise: float,
        averaging: float,
        scope: float,
        scoping: float,
    ) -> list[Array]:
        from flax import nnx

        model = _model(theta)
        rngs = nnx.Rngs(0)
        optimizer = factory(model, learning_rate, scope, steps, inner_rate, noise, averaging, rngs=rngs)
        with _drawing(factory.__module__, draws):
            return _path(optimizer, model, loss, iterations)

    return _of_jax(run)


def _of_jax(port: Any) -> Any:
    port.library = "jax"
    return port


def _model(theta: Array) -> Any:
    """A model whose parameters are θ."""
    from flax import nnx

    class Point(nnx.Module):
        def __init__(self) -> None:
            for name, part in zip("abc", split(theta), strict=False):
                setattr(self, name, nnx.Param(part))

    return Point()


def _theta(model: Any) -> Array:
    """θ of the model."""
    import jax
    from flax import nnx

    return joined(jax.tree.leaves(nnx.state(model, nnx.Param)))


def _served(loss: Loss) -> Callable[[Any], tuple[Array, Any]]:
    """The value and the gradient at a model, as the authors' optimizers ask for them."""
    import jax
    from flax import nnx

    def value_and_grad(model: Any) -> tuple[Array, Any]:
        leaves, kind = jax.tree.flatten(nnx.state(model, nnx.Param))
        value, gradient = loss(joined(leaves))
        return value, jax.tree.unflatten(kind, split(gradient))

    return value_and_grad


def _path(optimizer: Any, model: Any, loss: Loss, iterations: int) -> list[Array]:
    path = []
    for _ in range(iterations):
        optimizer.update(_served(loss))
        path.append(_theta(model))
    return path


@contextmanager
def _drawing(module: str, draws: Array) -> Iterator[None]:
    """While ``module`` asks for normal numbers of a shape, it is given the next ones of these."""
    import sys

    import jax.numpy as jnp

    place: Any = sys.modules[module]
    before, served = place.jax, iter(jnp.asarray(draws).reshape(-1, *draws.shape[2:]))

    def normal(key: Any, shape: tuple[int, ...]) -> Array:
        return next(served).reshape(shape)

    place.jax = SimpleNamespace(random=SimpleNamespace(normal=normal))
    try:
        yield
    finally:
        place.jax = before
