"""No false alarm: ports that are right, however they are written, pass."""

import importlib

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from geometry.arithmetic.formats import format_of
from rbo_ref.oracle import READINGS, OptaxPort, TorchPort, as_port, check_optimizer
from rbo_ref.oracle.cases import all_cases
from rbo_ref.oracle.catalogue import CATALOGUES as MISTAKES
from rbo_ref.oracle.catalogue import RIGHT_PORTS
from rbo_ref.oracle.dialects import ROLLING_BALL
from rbo_ref.oracle.formulas import FORMULAS, formula_of
from rbo_ref.oracle.judge import judge
from rbo_ref.oracle.reference import OPTIONS, reference
from rbo_ref.oracle.setting import Setting
from rbo_ref.oracle.step_formats import Formats
from tests.examples import some
from tests.rbo_ref.oracle.optimizers.drawing import cases

OPTIMIZERS = [optimizer for optimizer in RIGHT_PORTS if optimizer != ROLLING_BALL]
SPOKEN = [(optimizer, dialect) for optimizer in OPTIMIZERS for dialect in READINGS[optimizer]]
OWN = [(optimizer, dialect) for optimizer, dialect in SPOKEN if dialect == READINGS[optimizer][0]] + list(OPTIONS)
MOVING = {("sam", "without-epsilon"): "[!r]*"}  # where the gradient is 0, 0/0 has no truth
FEW = {  # compiling takes time
    "gradient-descent": ("nesterov-saddle", "plain-bowl"),
    "adam": "usual-waves3",
    "adamw": "usual-waves3",
    "muon": "short-tall",
    "sam": ("usual-waves3", "adaptive-saddle"),
    "entropy-sgd": "warm-bowl",
    "induced-metric": "*-usual-waves3",
    "alice": "short-bowl",
    "rmsprop": ("usual-waves3", "centered-bowl"),
    "nadam": "usual-waves3",
    "lion": ("usual-waves10", "short-saddle"),
}


def fine(report, least=1):
    assert report.passed, str(report)
    assert report.counts["pass"] >= least, str(report)
    assert report.counts["evaluations"] == report.counts["evaluations_needed"]
    return report


def ready(library):
    module = pytest.importorskip("jax.numpy" if library == "jax" else library, reason=f"{library} is not installed")
    if library == "jax":
        importlib.import_module("jax").config.update("jax_enable_x64", True)
    return module


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(("optimizer", "dialect"), OWN)
@pytest.mark.parametrize("library", ["numpy", "array_api_strict", "torch", "jax"])
def test_the_packages_own_optimizers_are_right(optimizer, dialect, dtype, library):
    ready(library)
    few = {"cases": FEW[optimizer] if library != "numpy" else MOVING.get((optimizer, dialect))}
    report = check_optimizer(reference(optimizer, dialect), optimizer, xp=library, dtype=dtype, dialect=dialect, **few)
    fine(report, least=2 if library != "numpy" else 22)
    assert report.counts["undecidable"] == 0
    if dtype == "float64":
        assert all(result.error <= 1e-13 for result in report.results)  # of numbers up to 8


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(("optimizer", "dialect"), SPOKEN)
def test_ports_in_plain_words_are_right(optimizer, dialect, dtype):
    fine(check_optimizer(formula_of(optimizer, dialect)(), optimizer, dtype=dtype, dialect=dialect), least=22)


@pytest.mark.parametrize(("optimizer", "dialect"), SPOKEN)
def test_a_port_is_right_in_its_own_dialect_alone(optimizer, dialect):
    for other in set(READINGS[optimizer]) - {dialect}:
        report = check_optimizer(formula_of(optimizer, other)(), optimizer, dialect=dialect)
        assert not report.passed
        told = report.diagnosis
        assert f"dialect-{other}" in (told.name, *told.evidence.rpartition("told apart from ")[2].split(", "))


class Wide:
    """Everything in extended precision, rounded at each end."""

    def __init__(self, optimizer):
        self.port = RIGHT_PORTS[optimizer]()

    def __call__(self, loss, theta, **arguments):
        dtype = theta.dtype

        def served(place):
            return tuple(np.asarray(part, np.longdouble) for part in loss(place.astype(dtype)))

        iterates = self.port(served, theta.astype(np.longdouble), **arguments)
        return np.stack(iterates).astype(dtype)  # one array, with an axis for the steps


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("optimizer", sorted(set(OPTIMIZERS)))
def test_a_first_step_in_extended_precision_is_right(optimizer, dtype):
    """Of longer runs too, if what lies between two iterates is rounded with them; the memory is not."""
    fine(check_optimizer(Wide(optimizer), optimizer, dtype=dtype, levels="step"), least=8)


def pytorch_2026(loss, theta, *, iterations, learning_rate, betas, epsilon):
    """Adam as PyTorch forms it: step size and denominator are corrected, the mean by interpolation."""
    (b1, b2), m, v, iterates = betas, 0 * theta, 0 * theta, []
    for t in range(1, iterations + 1):
        g = loss(theta)[1]
        m, v = m + (1 - b1) * (g - m), b2 * v + (1 - b2) * g * g
        theta = theta - learning_rate / (1 - b1**t) * (m / (np.sqrt(v) / (1 - b2**t) ** 0.5 + epsilon))
        iterates.append(theta)
    return iterates


def jordan_2024(
    loss, theta, *, iterations, learning_rate, momentum, nesterov, weight_decay, steps, coefficients, epsilon
):
    """Muon with a sum for a momentum, which the norm divides out again, and without transposing tall matrices."""
    (a, b, c), total, iterates = coefficients, 0 * theta, []
    for _ in range(iterations):
        g = loss(theta)[1]
        total = momentum * total + g
        x = g + momentum * total if nesterov else total
        x = x / np.maximum(np.linalg.norm(x), epsilon / (1 - momentum))
        for _ in range(steps):
            gram = x @ x.T
            x = a * x + b * (gram @ x) + c * (gram @ (gram @ x))
        rows, columns = theta.shape
        move = learning_rate * max(1, rows / columns) ** 0.5 * x
        theta = theta * (1 - learning_rate * weight_decay) - move
        iterates.append(theta)
    return iterates


def heavy_ball(loss, theta, *, iterations, learning_rate, momentum, nesterov):
    """Momentum as a difference of iterates, with the rate inside."""
    move, iterates = 0 * theta, []
    for _ in range(iterations):
        g = loss(theta)[1]
        move = momentum * move - learning_rate * g
        theta = theta + (momentum * move - learning_rate * g if nesterov else move)
        iterates.append(theta)
    return iterates


OTHER_WAYS = {"adam": pytorch_2026, "muon": jordan_2024, "gradient-descent": heavy_ball}


def is_refused(case):
    """By the package's own optimizers: the logarithm of a loss that may be negative, and a start too short for β₃."""
    hyper = case.hyper(0)
    short = case.optimizer == "alice" and (hyper["quick_steps"] + 1) * (1 - hyper["betas"][1]) > 1
    return short or hyper.get("variant") == "log"


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(("optimizer", "port"), OTHER_WAYS.items())
def test_other_ways_of_writing_pass(optimizer, port, dtype):
    fine(check_optimizer(port, optimizer, dtype=dtype), least=20)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(
    ("optimizer", "name"), [("gradient-descent", "SGD"), ("adam", "Adam"), ("adamw", "AdamW"), ("rmsprop", "RMSprop")]
)
def test_pytorch_is_right(optimizer, name, dtype):
    torch = ready("torch")
    fine(check_optimizer(as_port(getattr(torch.optim, name)), optimizer, xp="torch", dtype=dtype), least=22)


def test_pytorchs_muon_is_right_once_it_declares_its_bfloat16():
    torch = ready("torch")
    undeclared = check_optimizer(TorchPort(torch.optim.Muon), "muon", xp="torch")
    assert undeclared.diagnosis.name == "bfloat16_inside"
    report = fine(check_optimizer(TorchPort(torch.optim.Muon), "muon", xp="torch", inner_dtype="bfloat16"), least=10)
    assert {r.id for r in report.results if r.verdict == "pass"} >= {"short-square", "short-tall", "cubic-wide"}


def test_little_is_overlooked_in_bfloat16():
    given = {"inner_dtype": "bfloat16", "diagnosis": False, "time_limit": np.inf, "cases": ["short-*", "cubic-wide"]}
    reports = [check_optimizer(wrong(), "muon", **given) for wrong in MISTAKES["muon"].values()]
    assert sum(not report.passed for report in reports) >= 0.8 * len(reports)


@pytest.mark.parametrize(
    ("optimizer", "name"), [("gradient-descent", "sgd"), ("adam", "adam"), ("adamw", "adamw"), ("lion", "lion")]
)
def test_optax_is_right(optimizer, name):
    ready("jax")
    optax = pytest.importorskip("optax", reason="optax is not installed")
    port = as_port(getattr(optax, name))
    assert isinstance(port, OptaxPort)
    fine(check_optimizer(port, optimizer, xp="jax", cases=FEW[optimizer]))


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_other_seeds_draw_other_cases(optimizer):
    one, two = (check_optimizer(RIGHT_PORTS[optimizer](), optimizer, seed=s, cases="drawn-*") for s in (1, 2))
    assert {r.id for r in fine(one).results}.isdisjoint({r.id for r in fine(two).results})


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_no_false_alarm_wherever_it_is(optimizer):
    @settings(deadline=None, max_examples=40, database=None)
    @given(cases(optimizer), st.sampled_from(["float32", "float64"]), st.sampled_from(["plain", "package"]))
    def judged(case, dtype, kind):
        assume(kind == "plain" or not is_refused(case))
        port = RIGHT_PORTS[optimizer]() if kind == "plain" else reference(optimizer)
        setting = Setting(np, Formats(format_of(dtype)), READINGS[optimizer][0], 20.0)
        results = [result for result, _ in judge(port, case, setting, ("step", "walk"))]
        assert all(result.verdict != "fail" for result in results), results

    judged()


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_the_tolerance_is_not_a_formality(optimizer):
    """An error of a few hundred units in the last place, where a step is well-conditioned, is seen."""

    class SlightlyOff(RIGHT_PORTS[optimizer]):
        def step(self, theta):
            return super().step(theta) * (1 + 300 * np.finfo(theta.dtype).eps)

    for dtype in ("float32", "float64"):
        assert not check_optimizer(SlightlyOff(), optimizer, dtype=dtype, diagnosis=False, levels="step").passed
    few = some([case.id for case in all_cases(optimizer)], 10)
    found = check_optimizer(SlightlyOff(), optimizer, levels="step", cases=few).diagnosis
    assert found is None or found.name == "low_precision"


# --- 16 bits and mixed precision ------------------------------------------------------------------------------------

DECIDED = {  # of the 16-bit formats: Adam's 1 − β₂ is lost in them, and Muon's iteration amplifies their rounding
    "float16": {"adam": 6, "adamw": 10, "muon": 10, "rmsprop": 12, "nadam": 10},
    "bfloat16": {"adam": 6, "adamw": 10, "muon": 0, "entropy-sgd": 10, "rmsprop": 12, "nadam": 10},
}


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize(("library", "dtype"), [("numpy", "float16"), ("torch", "bfloat16")])
def test_right_ports_pass_in_16_bits(optimizer, library, dtype):
    ready(library)
    for port in (reference(optimizer), RIGHT_PORTS[optimizer]()):
        report = check_optimizer(port, optimizer, xp=library, dtype=dtype)
        assert not report.failures, str(report)
        assert report.counts["pass"] >= DECIDED[dtype].get(optimizer, 18)


class Inside:
    """Everything in another dtype; every iterate is rounded when it is handed out, and only then."""

    def __init__(self, optimizer, dtype):
        self.port, self.dtype = RIGHT_PORTS[optimizer](), dtype

    def __call__(self, loss, theta, **arguments):
        if "draws" in arguments:
            arguments["draws"] = arguments["draws"].astype(self.dtype)
        return [new.astype(theta.dtype) for new in self.port(loss, theta.astype(self.dtype), **arguments)]


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize(("dtype", "other"), [("float64", "float32"), ("float32", "float64"), ("float16", "float32")])
def test_a_port_that_declares_what_it_computes_in_is_right(optimizer, dtype, other):
    report = check_optimizer(Inside(optimizer, other), optimizer, dtype=dtype, compute_dtype=other)
    fine(report, least=18)
    assert report.notes == [f"judged as a port that computes in {other}, as it declares"]


def test_a_port_that_does_not_compute_as_declared_is_wrong():
    report = check_optimizer(RIGHT_PORTS["adam"](), "adam", dtype="float32", compute_dtype="float64")
    assert "asked for the loss in float32, although it declares to compute in float64" in report.failures[0].message
    assert not check_optimizer(Inside("adam", "float32"), "adam", compute_dtype="bfloat16", cases="*-far").failures


@pytest.mark.parametrize(("optimizer", "share"), [("gradient-descent", 0.9), ("adam", 0.55), ("sam", 0.85)])
def test_mistakes_are_caught_and_named_in_float16(optimizer, share, no_pairs):
    """Named where the few bits of the answers are evidence enough, and never falsely."""
    every = MISTAKES[optimizer]
    asked = some(every, 9)
    reports = {name: check_optimizer(every[name](), optimizer, dtype="float16") for name in asked}
    caught = {name for name, report in reports.items() if report.failures}
    assert len(caught) >= len(reports) - 3  # what float16 rounds away
    names = {name: reports[name].diagnosis.name for name in caught if reports[name].diagnosis is not None}
    dialects = {cls.mistake: f"dialect-{dialect}" for dialect, cls in FORMULAS[optimizer].items()}
    assert all(told == dialects.get(name, name) for name, told in names.items())
    assert len(names) >= (share * len(caught) if len(asked) == len(every) else 1)
