"""Every cell of the table of operations: arrays, balls, slopes and texts, against mpmath and each other."""

import json
import shutil
import subprocess
from functools import reduce
from itertools import product

import mpmath
import numpy as np
import pytest
from flint import arb, ctx

from geometry.expressions import record
from geometry.expressions._nodes import constant
from geometry.expressions._operations import TABLE, elementwise, evaluated
from geometry.expressions._source import LANGUAGES
from geometry.expressions._standard import namespace

from .functions import SMOOTH

COMPILER, NODE = shutil.which("gcc") or shutil.which("cc"), shutil.which("node")
needs_compiler = pytest.mark.skipif(COMPILER is None, reason="a C compiler is not installed")
needs_node = pytest.mark.skipif(NODE is None, reason="Node.js is not installed")

WHOLE = [-2.5, -1.5, -0.5, -0.25, 0.5, 0.75, 1.5, 2.5, 3.0]
ANYWHERE = [-3.7, -1.2, -0.3, 0.4, 1.1, 2.9]
POSITIVE = [1e-3, 0.3, 1.0, 2.5, 40.0]
UNIT = [-0.999, -0.5, 0.1, 0.9]
PAIRS = [(a, b) for a in (-2.3, 0.4, 1.7) for b in (-0.9, 0.4, 3.1)]
POINTS = {
    **{key: [(x,) for x in POSITIVE] for key in ["sqrt", "log", "log2", "log10"]},
    **{key: [(x,) for x in UNIT] for key in ["asin", "acos", "atanh"]},
    **{key: [(x,) for x in WHOLE] for key in ["floor", "ceil", "trunc", "round", "sign"]},
    "acosh": [(1.001,), (1.5,), (30.0,)],
    "log1p": [(-0.9,), (1e-9,), (3.0,)],
    "pow": [(2.0, 0.5), (0.3, -1.7), (1.7, 3.0), (-1.3, 2.0), (-1.3, -3.0), (4.0, 0.0)],
    "where": [(True, 2.0, 3.0), (False, 2.0, 3.0)],
    **{key: [*product((True, False), repeat=2)] for key in ["logical_and", "logical_or"]},
    "logical_not": [(True,), (False,)],
}
TRUTHS = {
    "add": lambda x, y: x + y,
    "subtract": lambda x, y: x - y,
    "multiply": lambda x, y: x * y,
    "divide": lambda x, y: x / y,
    "negative": lambda x: -x,
    "square": lambda x: x * x,
    "pow": mpmath.power,
    "abs": mpmath.fabs,
    "hypot": mpmath.hypot,
    "logaddexp": lambda x, y: mpmath.log(mpmath.exp(x) + mpmath.exp(y)),
    "log2": lambda x: mpmath.log(x, 2),
    "remainder": lambda x, y: x - y * mpmath.floor(x / y),
    "sign": mpmath.sign,
    "trunc": lambda x: mpmath.floor(x) if x >= 0 else mpmath.ceil(x),
    "round": lambda x: mpmath.nint(x),
    "maximum": max,
    "minimum": min,
    "where": lambda c, x, y: x if c else y,
    "less": lambda x, y: x < y,
    "less_equal": lambda x, y: x <= y,
    "greater": lambda x, y: x > y,
    "greater_equal": lambda x, y: x >= y,
    "equal": lambda x, y: x == y,
    "not_equal": lambda x, y: x != y,
    "logical_and": lambda x, y: x and y,
    "logical_or": lambda x, y: x or y,
    "logical_not": lambda x: not x,
}
CLOSE = 8  # units in the last place: of functions that no library rounds correctly
each_operation = pytest.mark.parametrize("name", TABLE)


def points(name):
    count = len(TABLE[name].slopes)
    return POINTS.get(name, [(x,) for x in ANYWHERE] if count == 1 else PAIRS)


def truth(name, arguments):
    """The value in 60 digits."""
    with mpmath.workdps(60):
        numbers = [x if isinstance(x, bool) else mpmath.mpf(x) for x in arguments]
        return TRUTHS[name](*numbers) if name in TRUTHS else getattr(mpmath, name)(*numbers)


def is_close(found, expected):
    return found == expected or abs(float(found) - float(expected)) <= CLOSE * np.spacing(abs(float(expected)))


@each_operation
def test_arrays(name):
    for arguments in points(name):
        assert is_close(evaluated(name, *arguments), truth(name, arguments)), arguments
        folded = elementwise(name, *map(constant, arguments))
        if folded.is_constant:  # proofs rest on constants
            with mpmath.workdps(60):
                assert folded.data == evaluated(name, *arguments) == truth(name, arguments)


@each_operation
def test_balls(name):
    before, ctx.prec = ctx.prec, 160
    try:
        for arguments in points(name):
            balls = [x if isinstance(x, bool) else arb(x) for x in arguments]
            ball, expected = TABLE[name].ball(*balls), truth(name, arguments)
            if isinstance(expected, bool | np.bool_):
                assert ball is bool(expected)
                continue
            with mpmath.workdps(60):
                assert abs(arb(mpmath.nstr(expected, 50)) - ball) <= arb(10) ** -40 * max(abs(ball), 1), arguments
            assert ball.rad() <= arb(10) ** -40
    finally:
        ctx.prec = before


@each_operation
def test_slopes(name):
    """Against mpmath's derivatives; where an operation jumps or chooses, away from the place."""
    if TABLE[name].boolean or name == "where":
        return
    for arguments in points(name):
        if name in ("maximum", "minimum", "remainder") and arguments[0] == arguments[1]:
            continue  # a kink, or a jump
        for k in range(len(arguments)):
            if name == "pow" and k and arguments[0] <= 0:
                continue

            def along(x, k=k, arguments=arguments):
                return truth(name, [x if i == k else a for i, a in enumerate(arguments)])

            with mpmath.workdps(60):
                h = mpmath.mpf(10) ** -15
                expected = (truth_at(along, arguments[k], h) - truth_at(along, arguments[k], -h)) / (2 * h)
            if name in ("floor", "ceil", "trunc", "round", "sign") and abs(expected) > 1:
                continue  # at the jump itself
            found = slope(name, k, arguments)
            assert float(found) == pytest.approx(float(expected), rel=1e-13, abs=1e-13), (arguments, k)


def truth_at(function, x, h):
    return function(mpmath.mpf(x) + h)


def slope(name, k, arguments):
    """∂/∂x_k of one operation, by recording it."""
    d = len(arguments)

    def of(t):
        return namespace.apply(name, *(t[i] if i == k else x for i, x in enumerate(arguments)))

    return record_unchecked(of, d).gradient([float(x) for x in arguments])[k]


def record_unchecked(function, d):
    """Without the trial, which leaves the domain of some."""
    from geometry.expressions._nodes import theta
    from geometry.expressions._recorder import Recorded
    from geometry.expressions.expression import Expression

    return Expression(function(Recorded(theta(d))).node, d)


def calls():
    """(name, arguments) of all operations at all points."""
    return [(name, arguments) for name in TABLE for arguments in points(name)]


def in_words(language, write):
    return [LANGUAGES[language].text(TABLE[name]).format(*(write(x) for x in arguments)) for name, arguments in calls()]


def check_answers(answers):
    assert len(answers) == len(calls())
    for (name, arguments), answer in zip(calls(), answers, strict=True):
        assert is_close(answer, truth(name, arguments)), (name, arguments, answer)


def number(x, true="1", false="0", scalar="({})"):
    return (true if x else false) if isinstance(x, bool) else scalar.format(x)


def test_texts_in_python():
    texts = in_words("numba", lambda x: number(x, "True", "False", "np.float64({})"))
    check_answers([eval(text, {"np": np}) for text in texts])


@needs_compiler
def test_texts_in_c(tmp_path):
    lines = [f'    printf("%.17g\\n", (double)({text}));' for text in in_words("c", number)]
    check_answers(run_c("", "\n".join(lines), tmp_path).split())


def run_c(text, body, folder):
    source, binary = folder / "f.c", folder / "f"
    text = text or LANGUAGES["c"].prelude
    source.write_text(f"#include <stdio.h>\n{text}\nint main(void)\n{{\n{body}\n    return 0;\n}}\n")
    flags = ["-std=c99", "-O1", "-ffp-contract=off", "-Wall", "-Wno-unused-function", "-Werror"]
    subprocess.run([COMPILER, *flags, str(source), "-o", str(binary), "-lm"], check=True, timeout=60)
    return subprocess.run([str(binary)], capture_output=True, text=True, check=True, timeout=60).stdout


@needs_node
def test_texts_in_javascript(tmp_path):
    texts = in_words("javascript", lambda x: number(x, "true", "false"))
    listed = ",\n".join(f"Number({text})" for text in texts)
    check_answers(
        run_javascript(f"{LANGUAGES['javascript'].prelude}console.log(JSON.stringify([{listed}]));", tmp_path)
    )


def run_javascript(program, folder):
    source = folder / "f.js"
    source.write_text(program)
    return json.loads(
        subprocess.run([NODE, str(source)], capture_output=True, text=True, check=True, timeout=60).stdout
    )


# Whole functions in other languages.

WRITTEN = [
    "beale",
    "dents",
    "network",
    "pieces",
    "steps",
    "remainders",
    "running index",
    "joined loops",
    "nested loops",
]
PLACES = np.random.default_rng(5).uniform(0.1, 2.3, (4, 2))


def expected(name):
    """f, ∇f and ∇²f, one row a point."""
    expression = record(SMOOTH[name], 2)
    parts = (expression.value(PLACES)[:, None], expression.gradient(PLACES), expression.hessian(PLACES).reshape(-1, 4))
    return np.hstack(parts)


@pytest.mark.parametrize("name", [*WRITTEN, "long maximum", "sorted", "softmax", "logic", "constant"])
def test_functions_in_python(name):
    room = {}
    exec(record(SMOOTH[name], 2).source("numba", name="landscape"), room)
    for place, row in zip(PLACES, expected(name), strict=True):
        g, h = np.zeros(2), np.zeros(4)
        np.testing.assert_allclose([room["landscape"](place, g, h), *g, *h], row, rtol=1e-11, atol=1e-11)


ROW = "{{ const double x[2] = {{{}, {}}}; const double y = f(x, g, h); "
PRINT = 'printf("%.17g %.17g %.17g %.17g %.17g %.17g %.17g\\n", y, g[0], g[1], h[0], h[1], h[2], h[3]); }'


@needs_compiler
@pytest.mark.parametrize("name", WRITTEN)
def test_functions_in_c(tmp_path, name):
    rows = "\n".join(ROW.format(*place) + PRINT for place in PLACES.tolist())
    printed = run_c(record(SMOOTH[name], 2).source("c"), f"double g[2], h[4];\n{rows}", tmp_path)
    found = np.array(printed.split(), dtype=float).reshape(-1, 7)
    np.testing.assert_allclose(found, expected(name), rtol=1e-11, atol=1e-11)


@needs_node
@pytest.mark.parametrize("name", WRITTEN)
def test_functions_in_javascript(tmp_path, name):
    program = record(SMOOTH[name], 2).source("javascript")
    program += "const row = x => { const g = [], h = []; return [f(x, g, h), ...g, ...h]; };\n"
    program += f"console.log(JSON.stringify({PLACES.tolist()}.map(row)));"
    found = run_javascript(program, tmp_path)
    np.testing.assert_allclose(found, expected(name), rtol=1e-11, atol=1e-11)


def test_long_chains_are_written_without_deep_recursion():
    """Horner's rule in a loop of Python, against NumPy's polynomials."""
    coefficients = np.cos(np.arange(600.0))

    def horner(t):
        return reduce(lambda value, a: value * t[..., 0] / 2 + a, coefficients, 0.0)

    room, g, h = {}, np.zeros(1), np.zeros(1)
    exec(record(horner, 1).source("numba"), room)
    polynomial = np.polynomial.Polynomial(coefficients[::-1] / 2.0 ** np.arange(600))
    found = [room["f"](np.array([1.5]), g, h), g[0], h[0]]
    np.testing.assert_allclose(
        found, [polynomial.deriv(n)(1.5) if n else polynomial(1.5) for n in range(3)], rtol=1e-12
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_text_does_not_grow_with_the_number_of_terms(language):
    def lines(count):
        centers = np.linspace(-1, 1, count)
        expression = record(lambda t: np.sum(np.exp(-((t[..., :1] - centers) ** 2)), axis=-1), 1)
        return expression.source(language).count("\n")

    assert lines(12) == lines(1000)
