"""One optimizer for all leaves of a tree of parameters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rbo_ref.optimizers._parameters import flatten, surface_of

__all__ = ["Jointly"]


@dataclass(frozen=True)
class Jointly:
    """An optimizer that is written for vectors, working on a tree of arrays: all leaves are one vector.

    With a `RollingBall` it is one global ball: one radius, one normal, one footpoint for all parameters. The optimizers
    of `rbo_ref.optimizers` take trees by themselves.

    Parameters
    ----------
    optimizer : RollingBall, or anything with `init` and `step`

    Examples
    --------
    >>> import numpy as np
    >>> from geometry import Descent
    >>> from rbo_ref import RollingBall
    >>> class Bowl:
    ...     def value_and_gradient(self, theta):
    ...         return sum(np.sum(leaf**2) for leaf in theta.values()) / 2, theta
    >>> theta = {"weight": np.array([[3.0, 0.0]]), "bias": np.array(4.0)}
    >>> ball = Jointly(RollingBall(learning_rate=0.1, radius=1.0, solver=Descent(0.01, 100)))
    >>> step = ball.step(Bowl(), theta, ball.init(theta))
    >>> step.theta["weight"].round(3), step.theta["bias"].round(3), step.height, step.normal.shape
    (array([[2.681, 0.   ]]), np.float64(3.575), np.float64(12.5), (4,))
    """

    optimizer: Any

    def __post_init__(self) -> None:
        if isinstance(self.optimizer, type) or not (
            hasattr(self.optimizer, "init") and hasattr(self.optimizer, "step")
        ):
            raise TypeError(f"optimizer must be an object with methods init and step, got {self.optimizer!r}")

    def init(self, theta: Any) -> Any:
        """The optimizer's state for the vector of all leaves."""
        return self.optimizer.init(flatten(theta).vector)

    def step(self, loss: Any, theta: Any, state: Any = None, **options: Any) -> Any:
        """The optimizer's step for the vector of all leaves, its θ in the structure of `theta`.

        Parameters
        ----------
        loss : object or callable
            An object has ``value_and_gradient(theta) -> (value, gradient)``, the gradient structured as θ. A callable
            is differentiated by PyTorch or JAX.
        theta : tree of arrays
        state : optional
            What `init` or the previous step returned.
        **options
            Passed on.
        """
        flat = flatten(theta)
        taken = self.optimizer.step(surface_of(loss, flat), flat.vector, state, **options)
        return taken._replace(theta=flat.restore(taken.theta))
