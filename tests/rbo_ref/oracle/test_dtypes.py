"""16-bit formats, mixed precision and fused multiply-add: right ports pass, wrong ones are caught, causes are named."""

import importlib
from fractions import Fraction

import numpy as np
import pytest
from array_api_compat import numpy as xp
from flint import arb
from hypothesis import given, settings
from hypothesis import strategies as st

from geometry.arithmetic.formats import coarser, exact, format_of, nearest, rounded
from geometry.arithmetic.machine_arrays import fused
from rbo_ref.oracle import DIALECTS, MISTAKES, RightPort, check
from rbo_ref.oracle.calls import ServedLoss
from rbo_ref.oracle.cases import all_cases
from rbo_ref.oracle.catalogue import in_dialect
from rbo_ref.oracle.contraction import contracted
from rbo_ref.oracle.dialects import OPTIMIZERS
from rbo_ref.oracle.formulas import formula_of
from rbo_ref.oracle.judge import LEVELS, judge
from rbo_ref.oracle.losses import Loss, Quadratic
from rbo_ref.oracle.reference import jitted_rolling_ball, rolling_ball
from rbo_ref.oracle.setting import Setting
from rbo_ref.oracle.step_formats import Formats
from tests.rbo_ref.oracle import drawing
from tests.rbo_ref.oracle.multiprecision import fraction
from tests.rbo_ref.oracle.test_right_ports import OptaxLike, Talkative, Wasteful
from tests.rbo_ref.oracle.test_tolerance import FORMULATIONS

HALVES = ["float16", "bfloat16"]
SOME = ["half-*", "plane", "waves-3d", "bowl-one", "saddle-small", "schedule-1d"]
HALF_CASES = [case for case in all_cases() if case.id.startswith("half-")]
dialects = st.sampled_from(list(DIALECTS))
few = settings(max_examples=settings.default.max_examples // 5)


def ready(library, dtype="float32"):
    name = library.partition("-")[0]
    module = pytest.importorskip("jax.numpy" if name == "jax" else name, reason=f"{name} is not installed")
    if name == "jax" and dtype == "float64":
        importlib.import_module("jax").config.update("jax_enable_x64", True)
    return module


def decided(report, least):
    assert report.passed, str(report)
    assert len({r.id for r in report.results if r.verdict == "pass" and r.level != "primitives"}) >= least
    return report


# --- 16 bits --------------------------------------------------------------------------------------------------------

LIBRARIES = [("numpy", "float16"), ("torch", "float16"), ("torch", "bfloat16"), ("jax", "float16"), ("jax", "bfloat16")]


@pytest.mark.parametrize(("library", "dtype"), LIBRARIES)
@pytest.mark.parametrize("port", [RightPort(), rolling_ball], ids=["plain", "own"])
def test_right_ports_pass_in_16_bits(port, library, dtype):
    ready(library)
    some = ["half-[bs]*", "waves-3d"] if library == "jax" else None if library == "numpy" else SOME
    decided(report := check(port, xp=library, dtype=dtype, cases=some), least=30 if some is None else 4)
    assert {r.verdict for r in report.results if r.id.startswith("half-")} <= {"pass", "skipped"}


@pytest.mark.parametrize("dtype", HALVES)
def test_a_jitted_port_passes_in_16_bits(dtype):
    ready("jax")
    decided(check(jitted_rolling_ball, xp="jax", dtype=dtype, cases=["half-scarp", "half-bowl"]), least=2)


@few
@given(drawing.cases(), dialects)
def test_no_right_port_fails_in_float16_whatever_the_loss(case, dialect):
    with np.errstate(all="ignore"):
        for formulation in FORMULATIONS:
            for result, _ in judge(
                in_dialect(formulation, dialect)(),
                case,
                Setting(xp, Formats(format_of("float16")), dialect, 60.0),
                LEVELS,
            ):
                assert result.verdict != "fail", (formulation.__name__, result)


@few
@given(drawing.cases(), dialects, st.sampled_from(HALVES))
def test_no_right_port_fails_in_torch_s_16_bits_whatever_the_loss(case, dialect, dtype):
    ready("torch")
    torch = pytest.importorskip("array_api_compat.torch")
    for formulation in (RightPort, OptaxLike, Wasteful, Talkative):
        for result, _ in judge(
            in_dialect(formulation, dialect)(), case, Setting(torch, Formats(format_of(dtype)), dialect, 60.0), LEVELS
        ):
            assert result.verdict != "fail", (formulation.__name__, result)


def test_most_of_the_catalogue_is_caught_in_float16():
    """By the cases made for it; what errs by less than the rounding of 16 bits is no mistake in them."""

    def caught(name):
        return check(MISTAKES[name](), dtype="float16", cases="half-*", diagnosis=False).failures

    assert sum(bool(caught(name)) for name in MISTAKES) >= 82


@pytest.mark.parametrize(("library", "dtype"), [("numpy", "float16"), ("torch", "bfloat16")])
@pytest.mark.parametrize("case", HALF_CASES, ids=lambda case: case.id)
def test_the_cases_for_16_bits_keep_their_promise_in_16_bits(case, library, dtype):
    ready(library)
    for name in case.catches:
        assert check(MISTAKES[name](), xp=library, dtype=dtype, cases=case.id, diagnosis=False).failures, name


@pytest.mark.parametrize("name", ["normal_flipped", "stale_gradient", "tangent_unit", "carries_center"])
@pytest.mark.parametrize(("library", "dtype"), [("numpy", "float16"), ("torch", "bfloat16")])
def test_mistakes_are_named_in_16_bits(name, library, dtype, no_pairs):
    """Where the few bits are evidence enough; where they are not, no name is given."""
    ready(library)
    told = check(MISTAKES[name](), xp=library, dtype=dtype, cases=SOME).diagnosis
    scarce = dtype == "bfloat16" and name in ("normal_flipped", "tangent_unit")
    assert (told and told.name) in ((None, name) if scarce else (name,))


@pytest.mark.parametrize("library", ["torch", "jax", "jax-jit"])
@pytest.mark.parametrize("dtype", HALVES)
def test_the_loss_is_served_correctly_rounded_in_16_bits(library, dtype):
    """f = θ²/2 + θ at a third, rounded."""
    module = ready(library)
    loss, target = Loss((Quadratic(np.eye(1), np.ones(1)),)), format_of(dtype)
    theta = module.asarray(rounded([1 / 3], target), dtype=getattr(module, dtype))
    served = ServedLoss(loss, module, (1,))
    call = importlib.import_module("jax").jit(served) if library == "jax-jit" else served
    value, gradient = call(theta)
    assert value.dtype == gradient.dtype == theta.dtype
    place = fraction(exact(rounded([1 / 3], target)[0]))
    for number, truth in ((float(value), place**2 / 2 + place), (float(gradient[0]), place + 1)):
        assert abs(Fraction(number) - truth) <= Fraction(target.unit) * abs(truth)
        assert number == rounded([number], target)[0]


def test_what_is_compiled_once_asks_the_loss_of_the_present_run():
    module, compiled = ready("jax"), []

    def asked(loss, theta):
        compiled.append(loss)
        return loss(theta)

    ask = importlib.import_module("jax").jit(asked, static_argnums=0)
    losses = [Loss((Quadratic(np.eye(1), np.full(1, slope)),)) for slope in (1.0, 2.0)]
    for k, place in ((0, 3.0), (1, 4.0), (0, 5.0)):
        served = ServedLoss(losses[k], module, (1,))
        value, _ = ask(served, module.asarray([place]))
        assert float(value) == place**2 / 2 + (k + 1) * place
        assert [float(query[0]) for query in served.queries] == [place]
    assert len(compiled) == 2


def test_formats_that_numpy_lacks_have_names_and_an_order():
    assert [format_of(name).name for name in ("bfloat16", "tf32", "float32")] == ["bfloat16", "tf32", "float32"]
    assert coarser(format_of("tf32"), format_of("bfloat16")).name == "bfloat16"
    assert coarser(format_of("float16"), format_of("float64")).name == "float16"


@given(st.floats(-1e30, 1e30))
def test_bfloat16_rounds_as_torch_does(number):
    torch = ready("torch")
    single = np.float32(number)
    assert rounded([single], format_of("bfloat16"))[0] == torch.tensor(single).bfloat16().float().item()


@pytest.mark.parametrize(
    ("library", "dtype", "sentence"),
    [
        ("numpy", "bfloat16", "numpy has no bfloat16; PyTorch and JAX have"),
        ("array_api_strict", "float16", "array_api_strict has no float16; NumPy, CuPy, PyTorch and JAX have"),
    ],
)
def test_a_library_without_the_dtype_is_told_so(library, dtype, sentence):
    ready(library)
    with pytest.raises(ValueError, match=sentence):
        check(RightPort(), xp=library, dtype=dtype)


# --- mixed precision ------------------------------------------------------------------------------------------------


class Inside(RightPort):
    """Everything in another dtype; the loss is asked in it too, or in that of theta."""

    other = "float32"
    asks_outside = False

    def served(self, loss):
        if not self.asks_outside:
            return loss
        return lambda theta: tuple(np.asarray(a).astype(theta.dtype) for a in loss(theta.astype(self.given)))

    def __call__(self, loss, theta, **hyper):
        self.given = theta.dtype
        new = super().__call__(loss, theta.astype(self.other), **hyper)
        named = {"theta": new, "normal": self.nu, "tangent": self.tau, "center": self.c, "candidate": self.candidate}
        return {name: array.astype(theta.dtype) for name, array in named.items()}


def inside(other, cls=Inside, **attributes):
    return type(cls.__name__, (cls,), {"other": other, **attributes})


PAIRS = [
    ("float64", "float32"),
    ("float64", "float16"),
    ("float32", "float16"),
    ("float32", "float64"),
    ("float16", "float32"),
    ("float16", "float64"),
]


@pytest.mark.parametrize(("dtype", "other"), PAIRS)
def test_a_port_that_declares_what_it_computes_in_is_right(dtype, other):
    report = decided(check(inside(other)(), dtype=dtype, compute_dtype=other, cases=SOME), least=12)
    assert report.notes == [f"judged as a port that computes in {other}, as it declares"]


@few
@given(drawing.cases(), dialects, st.sampled_from(PAIRS), st.booleans())
def test_no_such_port_fails_whatever_the_loss(case, dialect, pair, asks_outside):
    dtype, other = (format_of(name) for name in pair)
    port = inside(other.name, asks_outside=asks_outside and other == coarser(dtype, other))
    with np.errstate(all="ignore"):
        for result, _ in judge(
            in_dialect(port, dialect)(), case, Setting(xp, Formats(dtype, other), dialect, 60.0), LEVELS
        ):
            assert result.verdict != "fail", result


def test_a_declared_higher_precision_decides_more():
    def passed(**declared):
        report = check(inside("float32")(), dtype="float16", cases=["waves-*", "bowl-*", "saddle-*"], **declared)
        return {(r.id, r.level) for r in report.results if r.verdict == "pass"}

    assert len(passed(compute_dtype="float32")) >= len(passed()) + 10


@pytest.mark.parametrize("name", ["inner_weight_decay", "weight_decay", "normal_epsilon", "stale_height"])
def test_mistakes_below_the_rounding_of_float16_show_in_float32_inside(name):
    wrong = type("Wrong", (Inside, MISTAKES[name]), {})
    some = ["bowl-*", "cliff-foot", "half-crest", "waves-3d"]
    report = check(wrong(), dtype="float16", compute_dtype="float32", cases=some, diagnosis=False)
    assert bool(report.failures) == (name != "normal_epsilon")  # 1e-8 under a root


def test_a_port_that_does_not_compute_as_declared_is_wrong():
    report = check(RightPort(), dtype="float16", compute_dtype="float32", cases="waves-3d")
    assert "asked for the loss in float16, although it declares to compute in float32" in report.failures[0].message
    wrong = inside("float16")()
    assert not check(wrong, dtype="float64", compute_dtype="float32", cases="half-*", diagnosis=False).passed


@pytest.mark.parametrize("name", ["tf32", "bfloat16", "float16"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_lower_precision_inside_is_wrong_undeclared_and_right_declared(name, dtype):
    port = MISTAKES[f"{name}_inside"]()
    report = check(port, dtype=dtype, cases=SOME)
    assert not report.passed
    assert report.diagnosis.name == f"{name}_inside"
    decided(check(port, dtype=dtype, compute_dtype=name, cases=SOME), least=8)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_another_port_with_a_lower_precision_inside_is_named_by_the_size_of_its_errors(dtype):
    """One that rounds elsewhere than the catalogue's does."""
    diagnosis = check(inside("float16")(), dtype=dtype, cases=SOME).diagnosis
    assert diagnosis.name == "float16_inside"
    assert "compute_dtype='float16' declares it" in diagnosis.evidence


# --- fused multiply-add ---------------------------------------------------------------------------------------------

numbers = st.floats(-1e6, 1e6, width=32)


@given(numbers, numbers, numbers)
def test_a_fused_multiply_add_rounds_once(a, b, c):
    truth = Fraction(a) * Fraction(b) + Fraction(c)
    a, b, c = np.float32(a), np.float32(b), np.float32(c)
    result = fused(a, b, c)
    assert result.dtype == np.float32
    if abs(truth) > 2.0**-120:
        assert abs(Fraction(float(result)) - truth) <= abs(truth) * Fraction(2) ** -24
    product = np.float64(a) * np.float64(b)  # exact
    assert abs(float(result) - float(np.float32(product + np.float64(c)))) <= np.spacing(np.abs(result))


@given(st.integers(2**52, 2**53), st.integers(2**52, 2**53))
def test_what_a_product_loses_is_what_the_fused_operation_finds(a, b):
    a, b = float(a), float(b)
    assert Fraction(float(fused(a, b, -np.float64(a * b)))) == Fraction(a) * Fraction(b) - Fraction(a * b)


def test_a_fused_operation_on_what_is_not_finite_is_not_finite():
    assert np.isnan(fused(np.inf, 1.0, np.float64(0.0)))
    assert fused(1e300, 1e300, np.float64(0.0)) == np.inf
    assert nearest(arb(10) ** 400, format_of("float64")) == np.inf


@few
@given(drawing.cases(), dialects, st.sampled_from(["float16", "float32", "float64"]))
def test_contracted_operations_are_right_whatever_the_loss(case, dialect, dtype):
    with np.errstate(all="ignore"):
        for result, _ in judge(
            contracted(formula_of("rolling-ball", dialect))(),
            case,
            Setting(xp, Formats(format_of(dtype)), dialect, 60.0),
            LEVELS,
        ):
            assert result.verdict != "fail", result


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_bits_of_contracted_operations_are_named_in_a_note(dtype):
    some = ["valley-1d", "bowl-*", "saddle-small", "saddle-large", "crest-2d", "waves-3d"]
    report = decided(check(contracted(RightPort)(), dtype=dtype, cases=some), least=9)
    assert report.notes[0].startswith("the bits are those of a fused multiply-add in ")
    assert f"note: {report.notes[0]}" in str(report)
    for port in (RightPort(), OptaxLike(), Talkative(), rolling_ball):
        assert check(port, dtype=dtype, cases=some).notes == []


@pytest.mark.parametrize("optimizer", [optimizer for optimizer in OPTIMIZERS if optimizer != "rolling-ball"])
def test_contracted_operations_of_every_optimizer_are_right_and_named(optimizer):
    cls, asked = formula_of(optimizer), {"optimizer": optimizer, "dtype": "float32"}
    report = check(contracted(cls)(), **asked)
    assert report.passed, str(report)
    assert "the bits are those of a fused multiply-add in " in report.notes[0]
    assert check(cls(), **asked).notes == []
