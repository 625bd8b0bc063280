"""A port runs in the thread of its caller, with all settings of that thread, and is stopped there."""

import contextlib
import contextvars
import decimal
import signal
import threading
import time

import numpy as np
import pytest

from rbo_ref.oracle import RightPort, check
from rbo_ref.oracle.time_limit import EXPECTING, unstopped, within

right = RightPort()
SOME = {"cases": ["plane", "waves-3d", "walk-2d"], "diagnosis": False}


def loops():
    while True:
        pass


def refuses_to_end():
    try:
        loops()
    except BaseException:
        return 7


def in_a_thread(function):
    """The result of a function in another thread."""
    found = []
    thread = threading.Thread(target=lambda: found.append(function()))
    thread.start()
    thread.join()
    return found[0]


def stopped(function, seconds=0.1):
    began = time.monotonic()
    with pytest.raises(TimeoutError, match=f"no answer within {seconds:g} s"):
        within(seconds, function)
    return time.monotonic() - began < 20


@pytest.mark.parametrize("function", [loops, refuses_to_end])
def test_python_is_stopped_in_every_thread(function):
    assert stopped(function)
    assert in_a_thread(lambda: stopped(function))


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no POSIX system")
@pytest.mark.parametrize("wait", [lambda: time.sleep(60), threading.Event().wait], ids=["sleep", "lock"])
def test_the_main_thread_is_stopped_out_of_a_wait(wait):
    assert stopped(wait)


def test_results_and_exceptions_come_through():
    assert within(60, lambda: 7) == 7
    assert in_a_thread(lambda: within(60, lambda: 7)) == 7
    for error in (ValueError, KeyboardInterrupt, SystemExit):

        def fails(error=error):
            raise error

        with pytest.raises(error):
            within(60, fails)


def cleans_up_before_it_is_stopped():
    done = []

    def careful():
        with unstopped():
            time.sleep(0.03)
            done.append("cleaned up")
        loops()

    assert stopped(careful, 0.01)
    return done == ["cleaned up"]


def test_what_must_not_be_stopped_is_done_to_its_end():
    assert cleans_up_before_it_is_stopped()
    assert in_a_thread(cleans_up_before_it_is_stopped)


def test_no_end_comes_too_late():
    """Whatever is raised for a call is raised inside it, however near its end is to its limit."""
    for limit in np.linspace(1e-6, 1e-4, 500):
        with contextlib.suppress(TimeoutError):
            within(float(limit), lambda: sum(range(100)))
    time.sleep(0.1)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no POSIX system")
def test_the_timer_of_somebody_else_goes_on():
    rang = []
    before = signal.signal(signal.SIGALRM, lambda *_: rang.append(1))
    signal.setitimer(signal.ITIMER_REAL, 0.3)
    try:
        assert stopped(loops, 0.1)
        began = time.monotonic()
        while not rang:
            assert time.monotonic() < began + 60
            time.sleep(0.01)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_who_waits_is_told_by_when():
    heard = []
    EXPECTING.append(heard.append)
    try:
        within(60, lambda: None)
        with pytest.raises(ZeroDivisionError):
            within(60, lambda: 1 / 0)
    finally:
        EXPECTING.remove(heard.append)
    assert [deadline is None for deadline in heard] == [False, True, False, True]
    assert time.monotonic() < heard[0] <= time.monotonic() + 60


# --- settings of the caller's thread --------------------------------------------------------------------------------


def test_settings_of_python_and_numpy_hold():
    name = contextvars.ContextVar("name", default="nobody")
    local = threading.local()
    seen = set()

    def port(loss, theta, **hyper):
        seen.add((name.get(), local.value, decimal.getcontext().prec, np.geterr()["invalid"], np.geterr()["over"]))
        return right(loss, theta, **hyper)

    name.set("caller")
    local.value = 3
    with decimal.localcontext() as context, np.errstate(invalid="raise"):
        context.prec = 5
        assert check(port, **SOME).passed
    assert seen == {("caller", 3, 5, "raise", "ignore")}


def test_the_oracle_itself_computes_as_ever():
    """An error that the caller wants to hear of is raised in the port, and nowhere else."""

    def overflows(loss, theta, **hyper):
        np.float64(1e300) * np.float64(1e300)
        return right(loss, theta, **hyper)

    with np.errstate(all="raise"):
        assert check(right, levels="step").verdict == "RIGHT"
        report = check(overflows, cases="plane", levels="step")
    assert "raised FloatingPointError: overflow" in report.failures[0].message
    assert check(overflows, cases="plane", levels="step").passed


def test_64_bits_of_jax_hold():
    jax = pytest.importorskip("jax", reason="jax is not installed")
    jnp = jax.numpy

    def port(loss, theta, *, learning_rate, radius, projection_rate, projection_steps):
        f, g = loss(theta)
        w = jnp.sqrt(1 + g @ g)
        x, y = theta - (radius / w + learning_rate) * g, f + radius / w - learning_rate * (g @ g)
        for _ in range(projection_steps):
            f, g = loss(theta)
            theta = theta - projection_rate * ((theta - x) + (f - y) * g)
        return theta

    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", False)
    try:
        with jax.enable_x64(True):
            assert check(port, xp=jnp, **SOME).passed
    finally:
        jax.config.update("jax_enable_x64", before)


def test_a_compiled_loop_of_jax_that_asks_for_ever_is_stopped():
    jax = pytest.importorskip("jax", reason="jax is not installed")

    @jax.jit
    def search(theta):
        def more(state):
            return state[0] > -1.0

        return jax.lax.while_loop(more, lambda state: (state[0] + 1.0, ask(state[1])[1]), (0.0, theta))[1]

    ask = None

    def port(loss, theta, **hyper):
        nonlocal ask
        ask = loss
        return search(theta)

    with jax.enable_x64(True):
        report = check(port, xp="jax", cases="plane", levels="step", time_limit=0.2)
    assert [result.message for result in report.failures] == ["no answer within 1 s"]


@pytest.mark.parametrize("enabled", [False, True])
def test_whether_torch_records_gradients_holds(enabled):
    torch = pytest.importorskip("torch", reason="torch is not installed")
    seen = set()

    def port(loss, theta, **hyper):
        seen.add(torch.is_grad_enabled())
        return right(loss, theta, **hyper)

    with torch.set_grad_enabled(enabled):
        assert check(port, xp="torch", **SOME).passed
    assert seen == {enabled}


def test_ctrl_c_ends_the_check():
    def interrupted(loss, theta, **hyper):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        check(interrupted, **SOME)


# --- the first call -------------------------------------------------------------------------------------------------


def slow(seconds):
    """A port that needs so many seconds for the first θ of each shape, as one that compiles does."""
    compiled = set()

    def port(loss, theta, **hyper):
        if theta.shape not in compiled:
            time.sleep(seconds)
            compiled.add(theta.shape)
        return right(loss, theta, **hyper)

    return port


def test_compiling_is_no_failure():
    assert check(slow(0.6), time_limit=0.3, **SOME).passed
    report = check(slow(60), time_limit=0.1, **SOME)
    assert {"no answer within 0.5 s", "no answer within 0.1 s"} <= {result.message for result in report.failures}
