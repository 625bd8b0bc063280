"""One text: a formula is the truth over rounded numbers, a right port over floats, and with another line a mistake."""

import numpy as np
import pytest

from geometry.arithmetic.formats import format_of
from geometry.arithmetic.rounded import Arithmetic
from rbo_ref.oracle.cases import all_cases
from rbo_ref.oracle.catalogue import CATALOGUES, in_dialect
from rbo_ref.oracle.formulas import FORMULAS, LOOPS, formula_of
from rbo_ref.oracle.formulas.evaluation import given, mixed, watched
from rbo_ref.oracle.losses import evaluate
from rbo_ref.oracle.mistakes import Mistake, made

EVERY = [(optimizer, dialect) for optimizer, formulas in FORMULAS.items() for dialect in formulas]


@pytest.mark.parametrize(("optimizer", "dialect"), EVERY)
def test_a_reading_is_the_first_one_with_lines_that_read_otherwise(optimizer, dialect):
    formula, first = formula_of(optimizer, dialect), formula_of(optimizer)
    assert issubclass(formula, first)
    assert (formula.optimizer, formula.dialect) == (optimizer, dialect)
    assert formula is first or formula.reading
    assert all(hasattr(formula, name) for name in formula.machinery)


@pytest.mark.parametrize(("optimizer", "dialect"), EVERY)
def test_without_memory_is_what_forgets(optimizer, dialect):
    """A port that took steps elsewhere takes the same one as a fresh port, just where the formula says so."""
    formula = formula_of(optimizer, dialect)
    assert all(_forgets(formula, case) for case in all_cases(optimizer)[:6]) == formula.is_memoryless


def _forgets(formula, case):
    used, draw = formula(), None if case.draws is None else case.draws[0]
    steps = [
        port.advance(lambda place: evaluate(case.loss, place), theta, case.hyper(0), draw)
        for port, theta in [*[(used, case.theta + 0.25)] * 12, (used, case.theta), (formula(), case.theta)]
    ]
    return np.array_equal(*steps[-2:])


def test_a_mistake_in_another_reading_keeps_its_line_above_those_of_the_reading():
    wrong = in_dialect(CATALOGUES["muon"]["scale_of_the_transpose"], "match_rms_adamw")()
    wrong.arithmetic = None
    assert wrong.scale(4, 1) == formula_of("muon", "match_rms_adamw").scale(wrong, 1, 4) == 0.4
    assert in_dialect(formula_of("muon"), "match_rms_adamw") is formula_of("muon", "match_rms_adamw")


def test_a_mistake_has_the_right_lines_at_hand_and_overrides_one_that_there_is():
    uphill = {"up": Mistake("", denominator=lambda self, v: -self.right.denominator(v))}
    port = made(uphill, formula_of("adam"))["up"]()
    hyper = {"learning_rate": 0.5, "betas": (0.5, 0.5), "epsilon": 0.0}
    assert port(lambda theta: (theta @ theta / 2, theta), np.array([4.0]), iterations=1, **hyper) == [np.array([4.5])]
    with pytest.raises(TypeError, match="up: adam has no line denominators"):
        made({"up": Mistake("", denominators=lambda self, v: v)}, formula_of("adam"))


@pytest.mark.parametrize("optimizer", LOOPS)
def test_an_inner_loop_shows_its_iterates(optimizer):
    case, port = all_cases(optimizer)[0], formula_of(optimizer)()
    iterates = watched(port)
    new = port.advance(lambda place: evaluate(case.loss, place), case.theta, case.hyper(0))
    assert len(iterates) == 1 + case.hyper(0)[LOOPS[optimizer].steps]
    assert iterates[-1] is new
    assert set(port.parts) == {"normal", "tangent", "center", "candidate"}


@pytest.mark.parametrize("inner", [None, format_of("float32")])
def test_the_inner_line_of_a_formula_alone_rounds_to_the_inner_format(inner):
    case, double = all_cases("muon")[0], format_of("float64")
    arithmetic = Arithmetic(double)
    port = mixed(formula_of("muon")(), arithmetic, inner)
    theta = arithmetic.exact(case.theta)
    new = port.advance(lambda place: arithmetic.evaluate(case.loss, place), theta, given(arithmetic, case.hyper(0)))
    assert arithmetic.target == double
    assert (port.b.radius < 1e-13).all()
    assert (new.radius < 1e-11).all() if inner is None else (new.radius > 1e-9).all() and (new.radius < 1e-3).all()
