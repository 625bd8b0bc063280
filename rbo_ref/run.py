"""The loop around an optimizer: steps without end, and trajectories of whole batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice
from typing import Any, NamedTuple, Protocol

from geometry import Descent, FunctionGraph
from geometry._namespace import Array, Namespace, floating, is_traced, whole
from geometry._results import comparable
from rbo_ref._compiled_trajectories import rolled
from rbo_ref.rolling_ball import RollingBall

__all__ = ["Optimizer", "Trajectory", "roll", "standing", "trajectory"]


class Optimizer(Protocol):
    """What `roll` and `trajectory` need. A step has at least `theta` and `state`; its `height`, if any, is f(θ_t)."""

    def init(self, theta: Array) -> Any: ...

    def step(self, loss: Any, theta: Array, state: Any) -> Any: ...


@comparable
class Trajectory(NamedTuple):
    """The contacts that an optimizer visits. The first axis is the step, 0 to `steps`; the batch follows."""

    theta: Array  # (steps+1, ..., d): θ_t
    height: Array  # (steps+1, ...): f(θ_t)
    center: Array | None  # (steps+1, ..., d+1): c_t, the centre over θ_t; None for optimizers without a ball


def roll(optimizer: Optimizer, loss: FunctionGraph | Callable[[Array], Array], theta: Array) -> Iterator[Any]:
    """Step after step, without end: the state goes round inside.

    Parameters
    ----------
    optimizer : RollingBall, GradientDescent, ...
        Anything with ``init(theta) -> state`` and ``step(loss, theta, state) -> Step``.
    loss : FunctionGraph or callable
    theta : array (..., d)
        Where to start.

    Yields
    ------
    Step
        Step t leads from θ_t to ``step.theta``.

    Raises
    ------
    TypeError
        If `optimizer` has no `init` and `step`, or `theta` is not of numbers.

    Examples
    --------
    >>> import numpy as np
    >>> from itertools import islice
    >>> from rbo_ref import RollingBall
    >>> bowl = FunctionGraph(lambda t: np.sum(t**2, axis=-1) / 2, lambda t: t)
    >>> [round(float(step.theta[0]), 4) for step in islice(roll(RollingBall(0.5, 0.1), bowl, [1.0]), 3)]
    [0.4216, 0.1859, 0.0825]
    """
    if isinstance(optimizer, type) or not (hasattr(optimizer, "init") and hasattr(optimizer, "step")):
        raise TypeError(f"optimizer must be an object with methods init and step, got {optimizer!r}")
    return _steps(optimizer, loss, floating("theta", theta)[1])


def _steps(optimizer: Optimizer, loss: Any, theta: Array) -> Iterator[Any]:
    state = optimizer.init(theta)
    while True:
        step = optimizer.step(loss, theta, state)
        yield step
        theta, state = step.theta, step.state


def trajectory(
    optimizer: Optimizer,
    loss: FunctionGraph | Callable[[Array], Array],
    theta: Array,
    steps: int,
    *,
    callback: Callable[[int, Any], object] | None = None,
) -> Trajectory:
    """The first `steps` steps, with the contact that the last one reaches.

    Parameters
    ----------
    optimizer : RollingBall, GradientDescent, ...
        As in `roll`. Hyper-parameters broadcast against the batch of `theta`.
    loss : FunctionGraph or callable
        A callable is differentiated by PyTorch or JAX.
    theta : array (..., d)
        Where to start.
    steps : int
        How many steps, ≥ 0.
    callback : callable, optional
        Called as ``callback(t, step)`` after step t = 0, 1, ...; if it raises `StopIteration` the trajectory ends at
        ``step.theta``.

    Returns
    -------
    Trajectory
        ``steps + 1`` entries. A ball with ``Descent(γ, P)`` costs ``steps·(1 + P) + 1`` evaluations. Other optimizers
        are asked for one step more, of which only the height and the centre are kept.

    Raises
    ------
    TypeError, ValueError
        For arguments of the wrong kind or shape.

    Notes
    -----
    A long run of a `RollingBall` over arrays of float64, without a callback and with `Descent`, `Newton` or
    `GaussNewton` as its solver, of which PyTorch and JAX want no derivative, is one loop over the balls that is
    compiled with the loss: see `compile` of `geometry.FunctionGraph`. Its results are those of the steps but for the
    rounding of functions such as the sine.

    Inside a transform of JAX the steps after the first are a ``jax.lax.scan``, which compiles one of them; `steps` must
    be static. With a `callback` they are unrolled: it is called while tracing only, with symbols for arrays.

    Examples
    --------
    Three starts × two radii × one learning rate:

    >>> import numpy as np
    >>> from rbo_ref import RollingBall
    >>> wave = FunctionGraph(lambda t: np.sin(t[..., 0]), np.cos)
    >>> path = trajectory(RollingBall(0.1, radius=[0.1, 0.5]), wave, [[[0.0]], [[1.0]], [[2.0]]], steps=50)
    >>> path.theta.shape, path.height.shape, path.center.shape
    ((51, 3, 2, 1), (51, 3, 2), (51, 3, 2, 2))
    """
    steps = whole("steps", steps)
    if callback is not None and not callable(callback):
        raise TypeError(f"callback must be callable, got {callback!r}")
    surface = loss if isinstance(loss, FunctionGraph) else FunctionGraph(loss)
    xp, theta = floating("theta", theta)
    rolling, state = roll(optimizer, surface, theta), optimizer.init(theta)
    if callback is None and (path := rolled(optimizer, surface, theta, steps)) is not None:
        return Trajectory(*path)
    contacts = []
    for t, step in enumerate(islice(rolling, steps)):
        if callback is None and is_traced(step.theta):
            return _scanned(xp, optimizer, surface, theta, step, steps)
        contacts.append(_contact(surface, theta, step))
        theta, state = step.theta, step.state
        try:
            if callback is not None:
                callback(t, step)
        except StopIteration:
            break
    contacts.append(_contact(surface, theta, standing(optimizer).step(surface, theta, state)))
    return _stack(xp, contacts)


def _scanned(
    xp: Namespace, optimizer: Optimizer, surface: FunctionGraph, theta: Array, first: Any, steps: int
) -> Trajectory:
    """The same after the first step, from which on no array changes its shape."""
    import jax

    def one(here: tuple[Array, Any], _: None) -> tuple[tuple[Array, Any], Trajectory]:
        step = optimizer.step(surface, *here)
        return (step.theta, step.state), _contact(surface, here[0], step)

    (there, state), between = jax.lax.scan(one, (first.theta, first.state), None, length=steps - 1)
    last = standing(optimizer).step(surface, there, state)
    ends = _stack(xp, [_contact(surface, theta, first), _contact(surface, there, last)])
    joined = (
        None if pair is None else xp.concat([pair[:1], middle, pair[1:]])
        for pair, middle in zip(ends, between, strict=True)
    )
    return Trajectory(*joined)


def standing(optimizer: Any) -> Any:
    """A ball that looks at its contact and stays: a projection without steps leaves one evaluation of the loss."""
    return replace(optimizer, solver=Descent(1.0, 0)) if isinstance(optimizer, RollingBall) else optimizer


def _contact(surface: FunctionGraph, theta: Array, step: Any) -> Trajectory:
    height = step.height if hasattr(step, "height") else surface.value(theta)
    return Trajectory(theta, height, getattr(step, "center", None))


def _stack(xp: Namespace, contacts: list[Trajectory]) -> Trajectory:
    """One axis more in front. The start is repeated over the hyper-parameters, as the steps from it are."""
    batch = contacts[-1].height.shape

    def stacked(arrays: Any, tail: int) -> Array:
        return xp.stack([xp.broadcast_to(a, (*batch, *a.shape[a.ndim - tail :])) for a in arrays])

    thetas, heights, centers = zip(*contacts, strict=True)
    return Trajectory(stacked(thetas, 1), stacked(heights, 0), None if centers[0] is None else stacked(centers, 1))
