"""The rolling ball behind SciPy's interface."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable
from enum import IntEnum
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from geometry import Descent, FunctionGraph, Solver
from geometry._namespace import floating, positive, quietly, whole
from geometry._vectors import length
from rbo_ref.rolling_ball import RollingBall
from rbo_ref.run import Optimizer, standing

if TYPE_CHECKING:
    from scipy.optimize import OptimizeResult

__all__ = ["minimize"]


class _Stop(IntEnum):
    CONVERGED = 0
    MAXITER = 1
    RESTS = 2
    NOT_FINITE = 3
    CALLBACK = 99  # SciPy's number for it


_MESSAGES = {
    _Stop.CONVERGED: "The gradient at the contact is at most tol.",
    _Stop.MAXITER: "The maximum number of iterations has been reached.",
    _Stop.RESTS: "The projection does not move the ball any more, yet the gradient at the contact exceeds tol.",
    _Stop.NOT_FINITE: "The next contact, or the function there, is not finite; x is the last one that was.",
    _Stop.CALLBACK: "`callback` raised `StopIteration`.",
}


def minimize(
    fun: Callable[..., Any],
    x0: Any,
    args: tuple = (),
    *,
    jac: Any = None,
    radius: float,
    learning_rate: float,
    solver: Solver | None = None,
    projection_rate: float | None = None,
    projection_steps: int | None = None,
    maxiter: int = 1000,
    tol: float | None = None,
    callback: Callable[..., object] | None = None,
    hess: Callable[..., Any] | None = None,
    hessp: Callable[..., Any] | None = None,
    bounds: Any = None,
    constraints: Any = (),
    disp: bool = False,
    variant: str = "footpoint",
    **unknown: Any,
) -> OptimizeResult:
    """Minimize a function of NumPy arrays with a rolling ball; SciPy's interface.

    Call it directly, or as ``scipy.optimize.minimize(fun, x0, jac=True, method=rbo_ref.minimize,
    options={"radius": ρ, "learning_rate": η})``. The minima are those of the offset function f_ρ: a ball of radius ρ
    passes over valleys that are too narrow for it.

    Parameters
    ----------
    fun : callable
        ``fun(x, *args) -> float``, or with ``jac=True`` the pair of f and ∇f.
    x0 : array (d,)
        Where to start. float32 is kept, integers become float64.
    args : tuple
        More arguments of `fun`, `jac`, `hess` and `hessp`.
    jac : callable or True
        ``jac(x, *args) -> array (d,)``. Needed: finite differences are not offered.
    radius, learning_rate : float
        ρ and η of `RollingBall`.
    solver : Descent, GaussNewton, Newton, MultiStart, optional
        How to project; default: that of `geometry.project`, which is Newton's method if `hess` or `hessp` is given.
    projection_rate, projection_steps : float, int, optional
        γ and P: short for ``solver=Descent(γ, P)``, the inner loop of the paper.
    maxiter : int
        Largest number of steps.
    tol : float, optional
        Stop when |∇f| at the contact is at most `tol`; default 1e-5.
    callback : callable, optional
        Called after each step as ``callback(x)``, or as ``callback(intermediate_result=result)`` if its only parameter
        has that name. `StopIteration` ends the run.
    hess, hessp : callable, optional
        ``hess(x, *args) -> array (d, d)``, ``hessp(x, p, *args) -> array (d,)``, for the projection alone.
    bounds, constraints
        Refused; here because SciPy passes them.
    disp : bool
        Print the message at the end.
    variant : "footpoint" or "distance"
        As in `RollingBall`.
    **unknown
        Other options are named in an `OptimizeWarning`.

    Returns
    -------
    scipy.optimize.OptimizeResult
        `x`: last contact; `fun`, `jac`: f and ∇f there; `center` (d+1,): centre of the ball over it; `nit`: steps;
        `nfev`, `njev`: calls of `fun` and `jac`, always equal; `success`, `status`, `message`.

    Raises
    ------
    TypeError, ValueError
        For wrong arguments. Numerical trouble is a `status`.

    Notes
    -----
    *When it stops.* For the centre over θ_c and its contact θ the envelope identity says ∇f_ρ(θ_c) = ∇f(θ): a short
    gradient at the contact marks a stationary point of f and of f_ρ alike. Status 0: it is short. Status 1: `maxiter`
    steps taken. This is also the end of a ball that rests on two crests: f_ρ has a kink there, the contact changes from
    one crest to the other for ever, and the gradient does not become short. Status 2: a step changed nothing, and so
    would every further one: η or γ is too small for the precision. Status 3: the next contact, or f or ∇f there, is not
    finite; `x` is the contact before it. Status 99: stopped by the callback.

    *What it costs.* With ``Descent(γ, P)`` a step takes 1 + P evaluations, and the last contact one more:
    ``nfev = nit·(1 + P) + 1``. At status 2 and 3 the evaluations of the step that led nowhere are added.

    References
    ----------
    Belgoumri et al., "Rolling Ball Optimizer" (2025), Algorithm 1.

    Examples
    --------
    A bowl with a pit at 2, narrower than the ball of radius ½:

    >>> import numpy as np
    >>> def fun(x):
    ...     pit = 0.5 * np.exp(-50 * (x[0] - 2) ** 2)
    ...     return x[0] ** 2 / 2 - pit, x + 100 * (x - 2) * pit
    >>> for radius in (0.01, 0.5):
    ...     print(minimize(fun, [3.0], jac=True, radius=radius, learning_rate=0.02).x.round(3))
    [1.957]
    [0.]
    """
    from scipy.optimize import OptimizeResult

    _refuse(bounds, constraints, unknown)
    if not isinstance(args, tuple):
        args = (args,)
    x, tell = _start(x0), _listener(callback)
    maxiter = whole("maxiter", maxiter)
    tol = 1e-5 if tol is None else _number("tol", tol, zero=True)
    solver = _projection(solver, projection_rate, projection_steps)
    ball: Optimizer = RollingBall(_number("learning_rate", learning_rate), _number("radius", radius), solver, variant)
    objective = _Objective(fun, jac, args)
    surface = FunctionGraph.from_value_and_gradient(objective, **_second_order(hess, hessp, args))

    here, nit = _Here(x, ball.init(x), *objective.evaluate(x)), 0
    stop = None if here.is_finite() else _Stop.NOT_FINITE
    while stop is None:
        if length(np, here.gradient) <= tol:
            stop = _Stop.CONVERGED
        elif nit == maxiter:
            stop = _Stop.MAXITER
        else:
            here, stop = _advance(ball, surface, objective, here)
            if stop is None:
                nit += 1
                stop = tell(here)

    center = _step(standing(ball), surface, objective, here).center
    result = OptimizeResult(
        x=here.x, fun=float(here.value), jac=here.gradient, center=center, nit=nit, nfev=objective.calls,
        njev=objective.calls, success=stop == _Stop.CONVERGED, status=int(stop), message=_MESSAGES[stop],
    )  # fmt: skip
    if disp:
        print(f"{result.message}\n  f = {result.fun:.6g}, iterations: {nit}, evaluations: {result.nfev}")
    return result


class _Here(NamedTuple):
    """The contact where the ball stands."""

    x: np.ndarray
    state: Any
    value: np.ndarray
    gradient: np.ndarray

    def is_finite(self) -> bool:
        return bool(np.isfinite(self.value) and np.isfinite(self.gradient).all())


def _advance(ball: Optimizer, surface: FunctionGraph, objective: _Objective, here: _Here) -> tuple[_Here, _Stop | None]:
    """The next contact; or the same one, and why there is no next."""
    step = _step(ball, surface, objective, here)
    if not (np.isfinite(step.theta).all() and np.isfinite(step.candidate).all()):
        return here, _Stop.NOT_FINITE
    center_rests = isinstance(step.state, tuple) or np.array_equal(step.state, step.center)
    if center_rests and np.array_equal(step.theta, here.x):
        return here, _Stop.RESTS
    there = _Here(step.theta, step.state, *objective.evaluate(step.theta))
    return (there, None) if there.is_finite() else (here, _Stop.NOT_FINITE)


@quietly
def _step(ball: Optimizer, surface: FunctionGraph, objective: _Objective, here: _Here) -> Any:
    objective.known.append((here.value, here.gradient))
    return ball.step(surface, here.x, here.state)


class _Objective:
    """The caller's f and ∇f, for arrays (..., d), with the calls counted.

    `known` holds the pair of the contact that a step asks for first: it is handed out once, instead of a call.
    """

    def __init__(self, fun: Any, jac: Any, args: tuple) -> None:
        if not callable(fun):
            raise TypeError(f"fun must be callable, got {fun!r}")
        if jac is not True and not callable(jac):
            raise ValueError(
                "jac must be callable, or True if fun returns the pair (f, gradient): the ball needs the gradient and "
                "takes no finite differences. Pass jac=...; note that scipy.optimize.minimize replaces '2-point', "
                f"'3-point' and 'cs' by None for a custom method. Got {jac!r}"
            )
        self.fun, self.jac, self.args, self.calls = fun, jac, args, 0
        self.known: list[tuple[np.ndarray, np.ndarray]] = []
        self._each = np.vectorize(self.evaluate, signature="(d)->(),(d)")

    def __call__(self, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return self.known.pop() if self.known else self._each(theta)

    def evaluate(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """f and ∇f at one point. The caller's functions get copies, which they may spoil."""
        self.calls += 1
        value = self.fun(x.copy(), *self.args)
        if self.jac is True:
            if not isinstance(value, tuple | list) or len(value) != 2:
                raise TypeError(f"with jac=True fun must return the pair (f, gradient), got {type(value).__name__}")
            value, gradient = value
        else:
            gradient = self.jac(x.copy(), *self.args)
        value, gradient = np.array(value, dtype=x.dtype), np.array(gradient, dtype=x.dtype, ndmin=1)
        if value.size != 1:
            raise ValueError(f"fun must return one number, got an array of shape {value.shape}")
        if gradient.shape != x.shape:
            raise ValueError(f"jac must return shape {x.shape} for x of this shape, got {gradient.shape}")
        return value.reshape(()), gradient


def _second_order(hess: Any, hessp: Any, args: tuple) -> dict[str, Any]:
    """The caller's second derivatives, for arrays (..., d), under the names of `FunctionGraph`."""
    for name, function in (("hess", hess), ("hessp", hessp)):
        if function is not None and not callable(function):
            raise ValueError(f"{name} must be callable or None, got {function!r}")
    functions = {}
    if hess is not None:
        functions["hessian"] = np.vectorize(lambda x: np.asarray(hess(x.copy(), *args)), signature="(d)->(d,d)")
    if hessp is not None:
        product = np.vectorize(lambda x, p: np.asarray(hessp(x.copy(), p.copy(), *args)), signature="(d),(d)->(d)")
        functions["hessian_vector"] = product
    return functions


def _refuse(bounds: Any, constraints: Any, unknown: dict[str, Any]) -> None:
    if bounds is not None:
        raise ValueError("bounds must be None: the ball rolls over all of the parameter space")
    if not (constraints is None or (isinstance(constraints, tuple | list) and len(constraints) == 0)):
        raise ValueError("constraints must be empty: the ball rolls over all of the parameter space")
    if unknown:
        from scipy.optimize import OptimizeWarning

        warnings.warn(f"Unknown solver options: {', '.join(unknown)}", OptimizeWarning, stacklevel=3)


def _start(x0: Any) -> np.ndarray:
    x = np.atleast_1d(floating("x0", np.asarray(x0))[1]).copy()
    if x.ndim != 1 or x.size == 0:
        raise ValueError(f"x0 must have shape (d,) with d >= 1, got {np.shape(x0)}")
    if not np.isfinite(x).all():
        raise ValueError(f"x0 must be finite, got {x0!r}")
    return x


def _listener(callback: Any) -> Callable[[_Here], _Stop | None]:
    """The callback in either of SciPy's signatures, told apart as SciPy does: by the name of the parameter."""
    if callback is None:
        return lambda here: None
    if not callable(callback):
        raise TypeError(f"callback must be callable, got {callback!r}")
    from scipy.optimize import OptimizeResult

    by_name = set(inspect.signature(callback).parameters) == {"intermediate_result"}

    def tell(here: _Here) -> _Stop | None:
        try:
            if by_name:
                result = OptimizeResult(x=here.x.copy(), fun=float(here.value), jac=here.gradient.copy())
                callback(intermediate_result=result)
            else:
                callback(here.x.copy())
        except StopIteration:
            return _Stop.CALLBACK
        return None

    return tell


def _projection(solver: Solver | None, rate: Any, steps: Any) -> Solver | None:
    if (rate is None) != (steps is None):
        missing = "projection_rate" if rate is None else "projection_steps"
        raise ValueError(f"projection_rate and projection_steps belong together: {missing} is missing")
    if rate is not None:
        if solver is not None:
            raise ValueError("give either solver or projection_rate and projection_steps, not both")
        return Descent(_number("projection_rate", rate), whole("projection_steps", steps))
    return solver


def _number(name: str, value: Any, *, zero: bool = False) -> float:
    positive(name, value, zero=zero)
    if np.ndim(value) != 0:
        raise ValueError(f"{name} must be one number, got shape {np.shape(value)}")
    return float(value)
