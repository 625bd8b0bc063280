"""Tolerances: wide enough for every right port, on any loss; closed forms; what cannot be decided is not decided."""

from functools import partial

import numpy as np
import pytest
from array_api_compat import numpy as xp
from flint import ctx
from hypothesis import given, settings
from hypothesis import strategies as st

from geometry.arithmetic.formats import SAFETY, error_of, exact, format_of, handing_over, midpoints, rounding
from geometry.arithmetic.rounded import Arithmetic
from rbo_ref.oracle import DIALECTS, RightPort
from rbo_ref.oracle.cases import all_cases
from rbo_ref.oracle.cases.case import Case
from rbo_ref.oracle.catalogue import MISTAKES, in_dialect
from rbo_ref.oracle.dialects import Hyper
from rbo_ref.oracle.judge import LEVELS, judge
from rbo_ref.oracle.losses import Loss, Quadratic, Ridges, correctly_rounded
from rbo_ref.oracle.setting import Setting
from rbo_ref.oracle.step_formats import Formats
from rbo_ref.oracle.tolerance import is_decidable
from rbo_ref.oracle.truth import iterated, true_step
from tests.rbo_ref.oracle import drawing
from tests.rbo_ref.oracle.test_right_ports import WAYS, ContactRefreshed, OptaxLike

CASES = {case.id: case for case in all_cases()}
DOUBLE, SINGLE = format_of("float64"), format_of("float32")
AUTHORS = "authors"
FIELDS = ("normal", "tangent", "center", "candidate", "theta")
each_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES)
each_format = pytest.mark.parametrize("target", [SINGLE, DOUBLE], ids=["float32", "float64"])
dialects = st.sampled_from(list(DIALECTS))
targets = st.sampled_from([SINGLE, DOUBLE])
few = settings(max_examples=settings.default.max_examples // 4)


def setting_of(target, dialect=AUTHORS):
    return Setting(xp, Formats(target), dialect, time_limit=60.0)


def results_of(port, case, target=DOUBLE, dialect=AUTHORS, levels=LEVELS):
    return [result for result, _ in judge(port, case, setting_of(target, dialect), levels)]


def step_of(case, target, dialect=AUTHORS):
    """From the single-precision starting point, so that formats can be compared."""
    return true_step(case.loss, tuple(case.start(SINGLE).astype(target.dtype)), case.hyper(0), dialect, target)


def tolerance_of(step, field):
    return step.tolerance if field == "theta" else step.parts[field].radius


def decides(case, target, step):
    return is_decidable(step.tolerance, step.theta.middle - case.start(SINGLE).astype(float), target)


# --- no false alarm -------------------------------------------------------------------------------------------------


class Blended(RightPort):
    """θ ← (1 − γ)θ + γx + γ(y − f)g with a norm that is scaled against overflow, and the offset added last."""

    def stretch(self, g):
        scale = max(1.0, float(np.max(np.abs(g))))
        return scale * np.sqrt(1 / scale**2 + self.square(g / scale))

    def stepped(self):
        return (self.p - self.eta * self.tau) + self.rho * self.nu

    def pull(self, theta):
        return self.loss(theta)

    def descended(self, theta, pull, k):
        f, g = pull
        x, y = self.candidate[:-1], self.candidate[-1]
        return (1 - self.gamma) * theta + self.gamma * x + (self.gamma * (y - f)) * g


class FlushesToZero(RightPort):
    """Subnormal numbers do not exist, as on many accelerators."""

    def served(self, loss):
        return lambda theta: tuple(self.flushed(number) for number in loss(theta))

    def joined(self, vector, number):
        return self.flushed(super().joined(vector, number))

    def descended(self, theta, pull, k):
        return self.flushed(theta - self.flushed(self.gamma * self.flushed(pull)))

    def flushed(self, number):
        return np.where(np.abs(number) < np.finfo(number.dtype).smallest_normal, 0 * number, number)


# ContactRefreshed adds P iterations at a fixed point, and rounding with them: right for the gentle cases only.
FORMULATIONS = [way for way in WAYS if way is not ContactRefreshed] + [Blended, FlushesToZero]


@settings(max_examples=settings.default.max_examples * 2 // 5)
@given(drawing.cases(), dialects, targets)
def test_no_right_port_fails_whatever_the_loss(case, dialect, target):
    for formulation in FORMULATIONS:
        for result in results_of(in_dialect(formulation, dialect)(), case, target, dialect):
            assert result.verdict != "fail", (formulation.__name__, result)


@pytest.mark.parametrize("formulation", FORMULATIONS, ids=lambda port: port.__name__)
def test_gradients_that_underflow_are_no_mistake(formulation):
    loss = Loss((Ridges("exp", np.eye(3) * [20, 21, 0.5], np.zeros(3), np.ones(3)),))
    case = Case(
        "underflow", loss, (-4.6, -5.2, 1.0), (Hyper(0.25, 2.0, 0.0625, 8),), "slopes of 1e-39 and 1e-46", walk=2
    )
    gradient = correctly_rounded(loss, tuple(case.start(SINGLE)), SINGLE)[1]
    assert 0 < gradient[0] < np.finfo("float32").smallest_normal > gradient[1]
    results = results_of(formulation(), case, SINGLE)
    assert {result.verdict for result in results} <= {"pass", "skipped"}


def noisy_step(case, dialect, target, random):
    """A right port of which every operation errs by at most a unit roundoff more, at random, in a wider format."""
    wide = np.longdouble if target is DOUBLE else np.float64

    def n(numbers):
        noise = random.uniform(-1, 1, np.shape(numbers)) if random.rand() < 0.5 else random.choice([-1, 1])
        return np.asarray(numbers, dtype=wide) * (1 + target.unit * np.asarray(noise, dtype=wide))

    def ask(theta):
        f, g = correctly_rounded(case.loss, tuple(theta), format_of(wide))
        return n(f), n(g)

    hyper, reading = Hyper(**case.hyper(0)), DIALECTS[dialect]
    eta, rho, gamma = n(hyper[:3])
    theta = case.start(SINGLE).astype(wide)
    f, g = ask(theta)
    square = wide(0)
    for slope in g:
        square = n(square + n(slope * slope))
    stretch = n(np.sqrt(n(1 + square)))
    x = n(n(theta + n(rho * n(-g / stretch))) - n(eta * g))
    y = n(n(f + n(rho * n(1 / stretch))) - n(eta * square))
    theta = theta if reading.start == "contact" else x
    for _ in range(hyper.projection_steps):
        f, g = ask(theta)
        theta = n(theta - n(n(gamma * reading.factor) * n(n(theta - x) + n(n(f - y) * g))))
    return theta


def worst_of(case, dialect, target, tries=3):
    """The largest error of noisy steps in tolerances, and whether the case is decidable."""
    step = step_of(case, target, dialect)
    if not step.is_bounded:
        return 0.0, False
    random = np.random.RandomState(0)
    errors = [error_of(noisy_step(case, dialect, target, random), step.theta.value) for _ in range(tries)]
    return float(np.max(errors / step.tolerance)), decides(case, target, step)


@each_format
def test_random_errors_of_every_operation_stay_within_the_tolerance_and_come_near_it(target):
    if target is DOUBLE and np.finfo(np.longdouble).eps > 1e-18:
        pytest.skip("long double is no wider than double here")
    ratios = [worst_of(case, AUTHORS, target) for case in CASES.values()]
    assert max(ratio for ratio, _ in ratios) <= 1
    decided = [ratio for ratio, is_decidable in ratios if is_decidable]
    assert len(decided) >= len(CASES) - 2
    assert max(decided) > 0.1  # half of the tolerance is SAFETY, and chance is kinder than the worst case
    assert min(decided) > 1e-2


@few
@given(case=drawing.cases(), dialect=dialects, target=targets)
def test_random_errors_stay_within_the_tolerance_on_drawn_losses(case, dialect, target):
    with np.errstate(all="ignore"):
        assert worst_of(case, dialect, target, tries=1)[0] <= 1


# --- the bound itself -----------------------------------------------------------------------------------------------

SILENT = DOUBLE._replace(unit=0.0, least=-1060)  # a format that does not round


def spread_of(loss, theta, candidate, e_start, e_candidate, gamma, steps):
    """Where the inner loop ends, and how far from there if it starts, and goes, so far from where it should."""
    with ctx.workprec(300), np.errstate(all="ignore"):
        arithmetic = Arithmetic(SILENT)
        start, goal = arithmetic.exact(theta), arithmetic.exact(candidate)
        start.rest, goal.rest = np.array(e_start), np.array(e_candidate)
        ball = RightPort()
        hyper = {"learning_rate": 0, "radius": 0, "projection_rate": arithmetic.exact(gamma), "projection_steps": steps}
        ball.told(partial(arithmetic.evaluate, loss), start, hyper)
        return ball.looped(goal, start)


@pytest.mark.parametrize("factor", [1, 2])
def test_on_a_line_an_error_is_multiplied_by_the_power_of_the_jacobian(factor):
    """J = 1 − cγW² is constant, and y errs by e: Σ_k |J|^k cγ|g|e."""
    loss = Loss((Quadratic(np.zeros((1, 1)), np.array([0.75])),))
    gamma, steps, w_squared = 0.25 * factor, 9, 1 + 0.75**2
    jacobian = abs(1 - gamma * w_squared)

    def spread(e_start, e_candidate):
        return spread_of(loss, [3.0], [1.0, 5.0], [e_start], e_candidate, gamma, steps).radius

    powers = sum(jacobian**k for k in range(steps))
    np.testing.assert_allclose(spread(1e-3, [0.0, 0.0]), 1e-3 * jacobian**steps, rtol=1e-12)
    np.testing.assert_allclose(spread(0.0, [0.0, 1e-3]), powers * gamma * 0.75e-3, rtol=1e-12)
    np.testing.assert_allclose(spread(0.0, [1e-3, 0.0]), powers * gamma * 1e-3, rtol=1e-12)


def test_errors_that_cancel_by_rotation_do_not_add_up():
    """Products of Jacobians are formed before absolute values: a contraction contracts in every direction."""
    angle = np.pi / 4
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    loss = Loss((Quadratic(turn @ np.diag([0.0, 3.0]) @ turn.T, np.zeros(2), -100.0),))
    gamma = 0.01
    spread = spread_of(loss, [0.0, 0.0], [0.0, 0.0, -101.0], [1e-6, 1e-6], [0.0, 0.0, 0.0], gamma, 200).radius
    curved = np.eye(2) - gamma * (np.eye(2) + turn @ np.diag([0.0, 3.0]) @ turn.T)
    np.testing.assert_allclose(spread, np.abs(np.linalg.matrix_power(curved, 200)).sum(axis=1) * 1e-6, rtol=1e-3)


@settings(max_examples=settings.default.max_examples // 2)
@given(data=st.data(), d=st.integers(1, 4), gamma=drawing.powers(-3, 0), steps=st.integers(1, 6))
def test_whatever_starts_in_the_box_ends_in_the_spread(data, d, gamma, steps):
    """Not only to first order: large boxes and bent losses."""
    loss, size = data.draw(drawing.losses(d)), data.draw(drawing.powers(-6, 0))
    theta, candidate = data.draw(drawing.vectors(d)), data.draw(drawing.vectors(d + 1)) * 2
    e_start, e_candidate = (
        np.abs(data.draw(drawing.vectors(d))) * size,
        np.abs(data.draw(drawing.vectors(d + 1))) * size,
    )

    with ctx.workprec(300), np.errstate(all="ignore"):
        end = spread_of(loss, theta, candidate, e_start, e_candidate, gamma, steps)
        for _ in range(3):
            signs = data.draw(drawing.vectors(2 * d + 1))
            if data.draw(st.booleans()):
                signs = np.where(signs < 0, -1.0, 1.0)
            place, goal = theta + signs[:d] * e_start, candidate + signs[d:] * e_candidate
            moved = spread_of(loss, place, goal, 0 * e_start, 0 * e_candidate, gamma, steps)
            errors = [abs(a - b) for a, b in zip(moved.value, end.value, strict=True)]
            # adding the signs to θ and the candidate in doubles has moved them by up to 2^-52 more
            for error, bound in zip(errors, end.radius, strict=True):
                assert not error.lower() > bound * (1 + 1e-9) + 1e-12 * (1 + bound / size) or not np.isfinite(bound)


def test_the_rounding_of_an_operation():
    numbers = np.array([0.0, 1.0, -3.0, 1e-320, 1e308, np.inf, np.nan])
    least = np.finfo(float).smallest_normal
    unit = SAFETY * DOUBLE.unit
    np.testing.assert_array_equal(rounding(numbers, DOUBLE), [least, unit, 3 * unit, least, np.inf, np.inf, np.inf])
    assert rounding(np.array([1e38]), SINGLE) == np.inf


@pytest.mark.parametrize(
    "name", ["valley-1d", "slope-1d", "plane", "bowl-one", "waves-3d", "waves-50d", "logistic-10d"]
)
def test_a_tolerance_is_proportional_to_the_unit_roundoff(name):
    coarse, fine = (step_of(CASES[name], target) for target in (SINGLE, DOUBLE))
    for field in FIELDS:  # in single precision products of errors begin to count, and most in theta
        rtol = 0.05 if field == "theta" else 0.01
        np.testing.assert_allclose(tolerance_of(coarse, field), 2.0**29 * tolerance_of(fine, field), rtol=rtol)


@each_case
def test_a_coarser_format_never_has_a_finer_tolerance(case):
    coarse, fine = (step_of(case, target) for target in (SINGLE, DOUBLE))
    for field in FIELDS:
        assert np.all(tolerance_of(coarse, field) >= 2.0**29 * (1 - 1e-6) * tolerance_of(fine, field))
    once, place = {**case.hyper(0), "projection_steps": 1}, case.start(SINGLE)
    single, double = (
        iterated(case, once, place, step.parts["candidate"], setting_of(target), target).radius
        for step, target in ((coarse, SINGLE), (fine, DOUBLE))
    )
    assert np.all(single >= 2.0**29 * (1 - 1e-6) * double)


@pytest.mark.parametrize("name", ["half-candidate", "full-candidate"])
def test_an_inner_loop_that_starts_at_the_candidate_inherits_its_errors(name):
    """With γ → 0 the result is the candidate, here a thousand times as large as θ."""
    loss = Loss((Quadratic(np.zeros((2, 2)), np.array([0.75, -1.0])),))
    case = Case("far", loss, (0.5, 0.25), (Hyper(0.5, 1e3, 1e-9, 3),), "a large ball")
    step = step_of(case, DOUBLE, name)
    assert np.all(step.tolerance >= step.parts["candidate"].radius[:-1] * (1 - 1e-6))
    assert np.all(step_of(case, DOUBLE).tolerance < step.parts["candidate"].radius[:-1] / 100)


@each_case
@each_format
def test_an_exact_candidate_has_a_smaller_tolerance(case, target):
    step, old = step_of(case, target), case.start(SINGLE)
    exactly = Arithmetic(target).enclosed(step.parts["candidate"].value)
    after = iterated(case, case.hyper(0), old, exactly, setting_of(target))
    with np.errstate(all="ignore"):
        tolerance = after.radius + handing_over(old.astype(float), after.middle, target)
    assert np.all((tolerance <= step.tolerance) | ~np.isfinite(step.tolerance))


# --- what can be decided --------------------------------------------------------------------------------------------


def test_a_tolerance_of_a_hundredth_of_the_move_is_the_limit_and_more_in_16_bits():
    move = np.array([1.0, -8.0])
    limits = {"float64": 0.08, "float32": 0.08, "float16": 2.0, "bfloat16": 4.0}
    for name, limit in limits.items():
        target = format_of(name)
        assert is_decidable(np.array([0.0, limit]), move, target)
        assert not is_decidable(np.array([0.0, 1.01 * limit]), move, target)
        assert not is_decidable(np.array([0.0, np.inf]), move, target)
        assert not is_decidable(np.array([np.nan, 0.0]), move, target)
        assert not is_decidable(np.array([1e-300, 0.0]), 0 * move, target)


@pytest.mark.parametrize("name", ["ascent", "radius_ignored", "inner_backtracking", "result_rounded"])
def test_equation_13_as_printed_is_undecidable_by_steps_and_decided_by_iterations(name):
    case = CASES["eq13-paper"]
    assert not decides(case, DOUBLE, step_of(case, DOUBLE))
    for port, expected in ((RightPort(), "pass"), (MISTAKES[name](), "fail")):
        verdicts = {result.level: result.verdict for result in results_of(port, case, levels=("inner", "step"))}
        assert verdicts == {"inner": expected, "step": "undecidable"}


def test_equation_13_with_a_gentle_rate_is_decided():
    assert decides(CASES["eq13-gentle"], DOUBLE, step_of(CASES["eq13-gentle"], DOUBLE))
    assert {result.verdict for result in results_of(RightPort(), CASES["eq13-gentle"])} == {"pass", "skipped"}


@each_format
def test_most_cases_are_decidable(target):
    undecidable = {name for name, case in CASES.items() if not decides(case, target, step_of(case, target))}
    assert undecidable <= {"eq13-paper", "eq13-gentle"}


@each_format
def test_nobody_is_blamed_where_the_step_leaves_the_range_of_the_format(target):
    loss = Loss((Quadratic(np.eye(2) * 100, np.ones(2)),))
    case = Case("explodes", loss, (3.0, 4.0), (Hyper(1.0, 1.0, 1.0, 12),), "θ is cubed each time", walk=3)

    class Fails(RightPort):
        def finished(self, theta):
            return theta * np.nan

    class Raises(RightPort):
        def finished(self, theta):
            raise OverflowError("math range error")

    for port in (RightPort(), Fails(), Raises()):
        assert {result.verdict for result in results_of(port, case, target)} <= {"undecidable", "skipped"}
    assert {result.verdict for result in results_of(Fails(), CASES["walk-2d"], target)} == {"fail"}
    assert {result.verdict for result in results_of(Fails(), CASES["bowl-one"], target)} == {"fail"}


def test_a_step_that_no_precision_can_follow_is_undecidable():
    case = Case(
        "tower",
        Loss((Ridges("exp", np.ones((1, 1)), np.zeros(1), np.ones(1)),)),
        (3.0,),
        (Hyper(1, 1, 2, 30),),
        "",
        walk=1,
    )
    step = step_of(case, DOUBLE)
    assert not step.is_tight
    assert not any(np.isfinite(tolerance_of(step, field)).any() for field in FIELDS)
    assert {result.verdict for result in results_of(RightPort(), case)} == {"undecidable"}


def test_a_list_of_iterates_may_begin_at_the_start_or_after_it():
    class HandsOut(RightPort):
        def projected(self, theta):
            self.iterates = [theta]
            for k in range(self.steps):
                self.iterates.append(self.descended(self.iterates[-1], self.pull(self.iterates[-1]), k))
            return self.iterates[-1]

        def __call__(self, loss, theta, **hyper):
            return {"theta": super().__call__(loss, theta, **hyper), "inner": self.iterates[self.first :]}

    for dialect in DIALECTS:
        for first in (0, 1):
            port = in_dialect(type("Port", (HandsOut,), {"first": first}), dialect)()
            (result,) = results_of(port, CASES["waves-3d"], DOUBLE, dialect, ("inner",))
            assert result.verdict == "pass"


def test_a_far_jump_may_be_handed_over_as_a_displacement():
    """θ + (θ' − θ) errs by the roundoff of |θ' − θ|, here a hundred times that of θ'."""
    loss = Loss((Ridges("exp", np.full((1, 1), 6.0), np.zeros(1), np.ones(1)),))
    for learning_rate in (7e-5, 6.9e-5, 6.8e-5, 6.7e-5):
        case = Case("cliff", loss, (1.0,), (Hyper(learning_rate, 1.0, 1e-6, 3),), "from a cliff to its foot")
        assert {result.verdict for result in results_of(OptaxLike(), case, levels=("inner", "step"))} == {"pass"}


def test_every_single_number_counts():
    """One entry of fifty off by ten tolerances is seen."""
    case = CASES["waves-50d"]
    step = step_of(case, DOUBLE)
    right = midpoints(step.theta.value)
    for i in (0, 17, 49):
        wrong = right.copy()
        wrong[i] += 10 * step.tolerance[i]
        (result,) = results_of(lambda loss, theta, wrong=wrong, **hyper: wrong, case, levels=("step",))
        assert result.verdict == "fail"
        assert 9 < result.ratio < 11
    assert error_of(right, step.theta.value).max() < step.tolerance.min()
    assert exact(right[0]).mid() == right[0]
