"""No false alarm: ports that are right pass, in whatever order they sum and however they evaluate the loss."""

from zlib import crc32

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mpmath import mp, mpf

from geometry.arithmetic.formats import exact, format_of
from rbo_ref.oracle.catalogue import right_port
from rbo_ref.oracle.losses import evaluate
from rbo_ref.oracle.vectors import answers, play
from rbo_ref.oracle.vectors.answering import evaluation_error
from rbo_ref.oracle.vectors.loss_records import described, held, loss_of
from tests.rbo_ref.oracle import multiprecision
from tests.rbo_ref.oracle.drawing import losses, vectors
from tests.rbo_ref.oracle.test_right_ports import LongDoubleInside, OptaxLike, Rearranged, SumsBackwards


def forward(terms):
    total = terms[0] * 0
    for term in terms:
        total = total + term
    return total


def backward(terms):
    return forward(terms[::-1])


def shuffled(terms):
    return forward(terms[np.random.RandomState(1).permutation(len(terms))])


def by_size(terms):
    return forward(terms[np.argsort(-np.abs(terms))])


ORDERS = (forward, backward, shuffled, by_size, np.sum)


def profile(name, u, one):
    if name == "sin":
        return np.sin(u), np.cos(u)
    e = np.exp(u)
    return (e, e) if name == "exp" else (np.log(one + e), one / (one + np.exp(-u)))


def evaluated(loss, theta, add):
    """The formulas of the documentation, one number at a time, with sums as `add` makes them."""
    real = theta.dtype.type
    flat = theta.reshape(-1)

    def dot(a, b):
        return add(np.array([x * y for x, y in zip(a, b, strict=True)]))

    values, gradients = [], []
    for term in loss.terms:
        numbers = {
            name: np.asarray(value, dtype=real)
            for name, value in vars(term).items()
            if name[0] != "_" and not isinstance(value, str)
        }
        if "matrix" in numbers:
            curved = np.array([dot(row, flat) for row in numbers["matrix"]])
            values.append(dot(curved, flat) / real(2) + dot(numbers["slope"], flat) + numbers["height"])
            gradients.append(curved + numbers["slope"])
        elif "weights" in numbers:
            u = np.array([dot(row, flat) + s for row, s in zip(numbers["weights"], numbers["shifts"], strict=True)])
            height, slope = profile(term.profile, u, real(1))
            values.append(dot(numbers["amplitudes"], height))
            gradients.append(np.array([dot(numbers["amplitudes"] * slope, column) for column in numbers["weights"].T]))
        else:
            away = flat - numbers["centers"]
            bumps = np.array([numbers["amplitude"] * np.exp(-dot(a, a) / numbers["square_width"]) for a in away])
            values.append(add(bumps))
            gradients.append(np.array([real(-2) * dot(bumps, column) / numbers["square_width"] for column in away.T]))
    return forward(np.array(values)), forward(np.array(gradients)).reshape(theta.shape)


@pytest.mark.parametrize("add", ORDERS, ids=lambda add: add.__name__)
def test_right_ports_of_all_optimizers_pass_whatever_the_order_of_sums(stock, add, monkeypatch):
    monkeypatch.setattr(play, "evaluate", lambda loss, theta: evaluated(loss, theta, add))
    worst = {}
    for name, vector in stock.vectors.items():
        if (
            vector["kind"] in ("run", "projection")
            and vector["dtype"] != "bfloat16"
            and crc32(name.encode()) % 5 == ORDERS.index(add)
        ):
            port = right_port(vector["optimizer"])
            result = answers.verdict(stock, name, play.answer_of(vector, stock.loss(vector), port))
            worst[name] = result.ratio
            assert result.verdict != "fail", result
    assert len(worst) > 50
    assert max(ratio for ratio in worst.values() if ratio is not None) < 0.8


@pytest.mark.parametrize(
    "port", [LongDoubleInside, OptaxLike, Rearranged, SumsBackwards], ids=lambda port: port.__name__
)
def test_a_right_port_passes_however_it_is_written(stock, port):
    judged = 0
    for name, vector in stock.vectors.items():
        if (
            vector["optimizer"] == "rolling-ball"
            and vector["kind"] in ("run", "scripted", "trajectory")
            and vector["dtype"] in ("float32", "float64")
        ):
            loss, rows = stock.loss(vector), stock.trajectory(vector).get("theta")
            result = answers.verdict(stock, name, rounded(play.answer_of(vector, loss, port, rows), vector))
            assert result.verdict != "fail", result
            judged += result.verdict == "pass"
    assert judged > 150


def rounded(answer, vector):
    return {name: array.astype(vector["dtype"]) for name, array in answer.items()}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@settings(deadline=None, max_examples=60)
@given(data=st.data(), d=st.integers(1, 6), add=st.sampled_from(ORDERS))
def test_the_error_of_an_evaluation_is_within_its_bound(dtype, data, d, add):
    """Against mpmath, of losses of any kind and size."""
    loss = held(data.draw(losses(d)))
    theta = (data.draw(vectors(d)) * data.draw(st.sampled_from([0.01, 1.0, 3.0]))).astype(dtype)
    with np.errstate(all="ignore"):
        value, gradient = evaluated(loss, theta, add)
    e_value, e_gradient = evaluation_error(loss, [exact(t) for t in theta], format_of(dtype))
    with mp.workdps(60):
        place = multiprecision.numbers(theta)
        wrong = [abs(multiprecision.value(loss, place) - mpf(float(value)))]
        wrong += [abs(t - mpf(float(g))) for t, g in zip(multiprecision.gradient(loss, place), gradient, strict=True)]
    assert all(w <= e for w, e in zip(wrong, [e_value, *e_gradient], strict=True))


@settings(deadline=None, max_examples=30)
@given(data=st.data(), d=st.integers(1, 4))
def test_losses_survive_json(data, d):
    loss, theta = held(data.draw(losses(d))), data.draw(vectors(d))
    twin = loss_of(described(loss))
    with np.errstate(all="ignore"):
        (f, g), (value, gradient) = evaluate(loss, theta), evaluate(twin, theta)
    np.testing.assert_array_equal([value, *gradient], [f, *g])
