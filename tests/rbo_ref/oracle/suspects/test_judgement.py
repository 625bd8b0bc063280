"""A mistake is another formula: every wrong port is right by its own, and by no other."""

import numpy as np
import pytest
from flint import ctx

from geometry.arithmetic import number_arrays as arrays
from geometry.arithmetic.formats import format_of
from geometry.arithmetic.rounded import Arithmetic
from rbo_ref.oracle import MISTAKES, RightPort
from rbo_ref.oracle.calls import ServedLoss
from rbo_ref.oracle.cases import all_cases
from rbo_ref.oracle.catalogue import catalogue, in_dialect, right_port
from rbo_ref.oracle.dialects import OPTIMIZERS, READINGS, ROLLING_BALL
from rbo_ref.oracle.step_formats import Formats
from rbo_ref.oracle.suspects.courses import PRECISION, certified
from rbo_ref.oracle.suspects.explain import by_known
from rbo_ref.oracle.suspects.judgement import Suspect, apart, fit
from rbo_ref.oracle.suspects.played import EXAMPLES, Played, Step, examples, spread

F64 = format_of("float64")
FORMATS = Formats(F64)
# Rounding itself decides what these do, or a decomposition that floats alone have.
FLOATS_ONLY = {"float32_inside", "float32_norm", "float16_inside", "bfloat16_inside", "tf32_inside"}
FLOATS_ONLY |= {"exactly_orthogonal", "normalized_by_spectral_norm"}
CASES = [case for case in all_cases(ROLLING_BALL) if case.id in ("half-bowl", "waves-3d")]


def run_of(make, case, length):
    """What a port does, as it is judged by itself."""
    port, theta, steps = make(), case.start(F64), []
    for t in range(length):
        draw = None if case.draws is None else case.draws[t]
        new = port.advance(ServedLoss(case.loss, np, theta.shape), theta, case.hyper(t), draw)
        steps.append(Step(theta, case.hyper(t), draw, new, theta, np.zeros_like(theta), True))
        theta = new
    delivered = port.delivered([steps[0].theta, *(step.answer for step in steps)])
    steps = [step._replace(answer=answer) for step, answer in zip(steps, delivered, strict=True)]
    return Played(case.id, case.loss, steps, alone=False)


def worst(make, run):
    """The largest distance of a run from the certified one, in its tolerances; infinite if nothing is certain."""
    ratios = []
    for step, answer in zip(run.steps, certified(make, run, FORMATS), strict=True):
        ratios.append(np.max(apart(step.answer, answer) / answer.tolerance))
        ratios.append(0.0 if np.isfinite(answer.tolerance).all() else np.inf)
    return max(ratios)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_every_port_is_right_by_its_own_formula(optimizer):
    """With no slack at all."""
    for name, cls in {"right": right_port(optimizer), **catalogue(optimizer)}.items():
        if name in FLOATS_ONLY:
            continue
        make = in_dialect(cls, READINGS[optimizer][0])
        for case in CASES if optimizer == ROLLING_BALL else all_cases(optimizer)[2:3]:
            with np.errstate(all="ignore"):
                run = run_of(make, case, min(max(case.walk, 1), 3))
            if all(np.isfinite(step.answer).all() and np.abs(step.answer).max() < 1e6 for step in run.steps):
                assert worst(make, run) <= 1, name


@pytest.mark.parametrize(
    ("optimizer", "name"),
    [(o, name) for o in (ROLLING_BALL, "muon") for name in sorted(FLOATS_ONLY & catalogue(o).keys())],
)
def test_what_only_floats_can_do_is_refused_or_decides_nothing(optimizer, name):
    dialect, case = READINGS[optimizer][0], all_cases(optimizer)[0]
    run = run_of(in_dialect(right_port(optimizer), dialect), case, 1)
    try:
        found = fit(in_dialect(catalogue(optimizer)[name], dialect), [run], FORMATS)
    except AttributeError:
        return
    assert found is None or not found.is_evidence(1)


# --- evidence -------------------------------------------------------------------------------------------------------


def judged(port, truth, error):
    """A run of one wrong step in float64, off the right one by so much."""
    case = CASES[0]
    run = run_of(port, case, 1)
    step = run.steps[0]
    return Played(case.id, case.loss, [step._replace(truth=truth + error, tolerance=np.full_like(truth, 1e-15))], True)


def test_a_step_that_the_right_formula_would_take_too_is_no_evidence():
    run = run_of(RightPort, CASES[0], 1)
    same = judged(RightPort, run.steps[0].answer, 0.0)
    assert not fit(RightPort, [same], FORMATS).is_evidence(1)
    other = judged(RightPort, run.steps[0].answer, 0.1)
    assert fit(RightPort, [other], FORMATS).is_evidence(1)
    assert sum(fit(RightPort, [other], FORMATS).bits) > 60


def test_small_differences_are_little_evidence_among_many_suspects():
    run = run_of(RightPort, CASES[0], 1)
    near = judged(RightPort, run.steps[0].answer, 1e-11)
    found = fit(RightPort, [near], FORMATS)
    assert found.is_evidence(2)
    assert not found.is_evidence(2**20)


def test_what_a_constant_was_fitted_to_is_no_evidence():
    run = run_of(RightPort, CASES[0], 1)
    found = fit(RightPort, [judged(RightPort, run.steps[0].answer, 0.1)], FORMATS)
    assert found.is_evidence(1)
    assert not found.is_evidence(1, constants=1)
    assert (found + found).is_evidence(1, constants=1)


def test_one_step_that_is_not_reproduced_refutes_a_suspect():
    runs = [run_of(MISTAKES["ascent"], case, 1) for case in CASES]
    away = [step._replace(answer=step.answer + 1e-12) for step in runs[0].steps]
    assert fit(MISTAKES["ascent"], runs, FORMATS) is not None
    assert fit(MISTAKES["ascent"], [*runs, Played("off", runs[0].loss, away, alone=True)], FORMATS) is None


def test_two_names_of_one_formula_are_both_told():
    case = CASES[0]
    wrong = run_of(MISTAKES["ascent"], case, 1)
    right = run_of(RightPort, case, 1).steps[0].answer
    wrong.steps[0] = wrong.steps[0]._replace(truth=right, tolerance=np.full_like(right, 1e-14))
    suspects = [Suspect(name, "", MISTAKES["ascent"]) for name in ("one", "other")]
    found = by_known([*suspects, Suspect("right", "", RightPort)], [wrong], FORMATS)
    assert (found.suspect.name, [twin.name for twin in found.twins]) == ("one", ["other"])
    assert found.evidence.endswith("cannot be told apart from other")


def test_examples_are_the_worst_of_each_family_and_a_spread():
    items = [(family, bad) for family in "abcdefghijklmnopqrst" for bad in (1, ord(family))]
    chosen = spread(items, lambda item: item[0], lambda item: item[1])
    assert len(chosen) == EXAMPLES
    assert len({family for family, _ in chosen}) == EXAMPLES
    assert chosen[0] == ("t", ord("t"))
    assert ("a", ord("a")) in chosen
    assert examples([]) == []


# --- the array functions --------------------------------------------------------------------------------------------

FUNCTIONS = {
    "concat": lambda xp, x, y: xp.concat([x, y * 2]),
    "stack": lambda xp, x, y: xp.stack([x, x * y]),
    "sum": lambda xp, x, y: xp.sum(x * y),
    "rows": lambda xp, x, y: xp.sum(xp.reshape(x, (2, 2)), axis=-1, keepdims=True),
    "columns": lambda xp, x, y: xp.sum(xp.reshape(x * y, (2, 2)), axis=0),
    "mean": lambda xp, x, y: xp.mean(x / y),
    "max": lambda xp, x, y: xp.max(x * y),
    "sqrt": lambda xp, x, y: xp.sqrt(x * x + y * y),
    "sin": lambda xp, x, y: xp.sin(x * 100 + y),
    "round": lambda xp, x, y: xp.round(x * 1000.3),
    "sign": lambda xp, x, y: xp.sign(x - y),
    "clip": lambda xp, x, y: xp.clip(x * y, -1.0, 1.0),
    "least": lambda xp, x, y: xp.minimum(xp.abs(x), y),
    "where": lambda xp, x, y: xp.where(x < y, x * 2, y / 3),
    "greater": lambda xp, x, y: xp.where(x > 1.5 * y, x, y),
    "entries": lambda xp, x, y: x[:-1] * y[1] + x[-1],
    "powers": lambda xp, x, y: (y * y) ** 0.5 + x**3,
    "product": lambda xp, x, y: xp.reshape(x, (2, 2)) @ xp.reshape(y, (2, 2)).T,
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_array_functions_enclose_what_floats_do(name):
    """The middle is what NumPy gives, and that is within the tolerance of it."""
    random = np.random.RandomState(0)
    for _ in range(5):
        x, y = random.uniform(-2, 2, 4), random.uniform(0.5, 2, 4)
        with ctx.workprec(PRECISION):
            arithmetic = Arithmetic(F64)
            ours = FUNCTIONS[name](arrays, arithmetic.exact(x), arithmetic.exact(y))
        theirs = np.asarray(FUNCTIONS[name](np, x, y))
        assert ours.shape == theirs.shape
        assert (np.abs(ours.middle - theirs) <= ours.radius + 1e-300).all()
        assert (ours.radius <= 1e-13 * (1 + np.abs(theirs))).all()


def test_what_rounding_may_decide_holds_both_ways():
    with ctx.workprec(PRECISION):
        arithmetic = Arithmetic(F64)
        third = 1 / arithmetic.exact(np.array([3.0]))
        chosen = arrays.where(third * 3 < arithmetic.exact(np.array([1.0])), third, -third)
        assert chosen.radius >= 2 / 3
        with pytest.raises(ArithmeticError, match="rounding decides a comparison"):
            bool(third * 3 < 1.0)
        assert arrays.round(arithmetic.exact(np.array([0.75])) * third * 2).radius == 1  # a tie, as far as is known
