"""The Rolling Ball Optimizer of Belgoumri, Bouadjenek, Hacid, Razzak and Aryal (2025), Algorithm 1 and Section 3.2."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from geometry import Footpoints, FunctionGraph, Solver, project, steepest_tangent, upward_normal
from geometry._namespace import Array, floating, is_array_api_obj, per_item, positive, quietly
from geometry._results import comparable
from geometry._trees import Tree
from geometry._vectors import dot

__all__ = ["RollingBall", "Step"]


@comparable
class Step(NamedTuple):
    """One step of the ball: where it went, and every quantity that Algorithm 1 names on the way."""

    theta: Array  # (..., d): parameters of the new contact, θ_{t+1}
    state: Any  # to be handed to the next step
    height: Array  # (...): f(θ_t)
    normal: Array  # (..., d+1): ν(p_t)
    tangent: Array  # (..., d+1): τ(p_t)
    center: Array  # (..., d+1): c_t
    candidate: Array  # (..., d+1): c̃_{t+1}; in the variant "distance", c_{t+1}
    footpoints: Footpoints  # proj_Γ of the candidate


@dataclass(frozen=True)
class RollingBall(Tree):
    """A ball of radius ρ that rolls down the graph Γ of the loss.

    Algorithm 1, as printed, with p = (θ, f(θ)), ν = (−∇f, 1)/√(1+|∇f|²), τ = (∇f, |∇f|²)::

        1  begin
        2    p_0 ← (θ_0, f(θ_0))
        3    for t = 0 to n_epochs do
        4      c_t ← θ + ρν(p_t)
        5      c̃_{t+1} ← c_t − ητ(p_t)
        6      p_{t+1} ← proj_Γ c̃_{t+1}
        7    end
        8  end

    Where we differ from the print: line 4 adds an ambient vector to parameters; p_t is meant, as in Eq. (6). Line 3
    runs n_epochs + 1 times; `step` is one pass, and the caller counts. Line 6 is left to `solver`. With ``Descent(γ,
    P)`` it is the inner loop of the authors' code: P gradient steps on *half* the squared distance, started at the
    contact θ_t; the paper leaves the factor and the start open. With another solver it is the footpoint nearest to
    the contact's basin.

    Parameters
    ----------
    learning_rate : float or array
        η > 0. An array broadcasts against the batch of θ, as `radius` does.
    radius : float or array
        ρ > 0, in units of θ and of the loss alike.
    solver : Descent, GaussNewton, Newton, MultiStart, optional
        How to project onto Γ; default as in `geometry.project`.
    variant : "footpoint" or "distance"
        Algorithm 1, or Section 3.2: the update −ητ is projected onto the complement of u = ∇d_Γ(c_t), Eq. (11), and the
        *centre* is carried from step to step, Eq. (12).

    Notes
    -----
    On the variant "distance": while the ball touches Γ at p_t, u = ν(p_t), and ⟨ν, τ⟩ = 0 identically. The projection
    of Eq. (11) then changes nothing, and the variant is explicit Euler for the centre on Γ_ρ without a way back: the
    distance of the centre drifts from ρ by O(η²) a step, and only the footpoint of the new centre, needed for the
    next τ, feels it.

    Examples
    --------
    One step on a plane is gradient descent, whatever the radius:

    >>> import numpy as np
    >>> from geometry import FunctionGraph
    >>> plane = FunctionGraph(lambda t: 2 * t[..., 0], lambda t: np.full_like(t, 2.0))
    >>> ball = RollingBall(learning_rate=0.1, radius=[1.0, 5.0])   # two balls in one call
    >>> ball.step(plane, np.zeros((2, 1)), None).theta.round(12)
    array([[-0.2],
           [-0.2]])
    """

    learning_rate: Any
    radius: Any
    solver: Solver | None = None
    variant: str = "footpoint"

    def __post_init__(self) -> None:
        positive("learning_rate", self.learning_rate)
        positive("radius", self.radius)
        if self.variant not in ("footpoint", "distance"):
            raise ValueError(f"variant must be 'footpoint' or 'distance', got {self.variant!r}")

    def init(self, theta: Array) -> Any:
        """The state before the first step: (). Algorithm 1 remembers only θ; Section 3.2 finds its first centre."""
        return ()

    @quietly
    def step(self, loss: FunctionGraph | Callable[[Array], Array], theta: Array, state: Any = None) -> Step:
        """One pass of lines 4 to 6: from θ_t to θ_{t+1}.

        Parameters
        ----------
        loss : FunctionGraph or callable
            A callable is differentiated by PyTorch or JAX.
        theta : array (..., d)
        state : optional
            What `init` or the previous step returned; the variant "distance" refuses to do without it.

        Returns
        -------
        Step
        """
        if state is None and self.variant == "distance":
            raise TypeError(
                "state must be what init(theta) or the step before returned, got None: the ball would begin anew; the "
                "first step is step(loss, theta, init(theta))"
            )
        surface = loss if isinstance(loss, FunctionGraph) else FunctionGraph(loss)
        xp, theta = floating("theta", theta)
        rho, eta = per_item(xp, "radius", self.radius, theta), per_item(xp, "learning_rate", self.learning_rate, theta)
        theta = theta + 0 * (rho + eta)  # one ball for every combination of the hyper-parameters

        height, gradient = surface.value_and_gradient(theta)
        p = xp.concat([theta, height[..., None]], axis=-1)
        nu, tau = upward_normal(gradient), steepest_tangent(gradient)

        if self.variant == "footpoint":
            c = p + rho * nu  # line 4
            candidate = c - eta * tau  # line 5
            footpoints = project(surface, candidate, self.solver, start=theta)  # line 6
            return Step(footpoints.theta, (), height, nu, tau, c, candidate, footpoints)

        c = state if is_array_api_obj(state) else p + rho * nu
        delta = -eta * tau  # Eq. (10)
        u = c - p  # ∇d_Γ(c_t) up to its length, for θ_t is the footpoint of c_t
        delta = delta - (dot(xp, u, delta) / dot(xp, u, u))[..., None] * u  # Eq. (11)
        candidate = c + delta  # Eq. (12)
        footpoints = project(surface, candidate, self.solver, start=theta)
        return Step(footpoints.theta, candidate, height, nu, tau, c, candidate, footpoints)
