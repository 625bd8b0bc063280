"""The plugin of pytest: judges a port when asked to, and is not there otherwise."""

import subprocess
import sys
from pathlib import Path

import array_api_compat.numpy  # noqa: F401
import flint  # noqa: F401
import pytest

import rbo_ref.oracle  # noqa: F401 -- runs in this process forget what they import, and compiled modules load only once
from tests.rbo_ref.tainted import FORGED, only_shown

pytest_plugins = "pytester"

ROOT = Path(__file__).parents[3]
PORT = """
import numpy as np

def step(loss, theta, *, learning_rate, radius, projection_rate, projection_steps):
    f, g = loss(theta)
    w = np.sqrt(1 + g @ g)
    x, y = theta - (radius / w + learning_rate) * g, f + radius / w - learning_rate * (g @ g)
    for _ in range(projection_steps):
        f, g = loss(theta)
        theta = theta - projection_rate * ((theta - x) + (f - y) * g)
    return theta

def wrong(loss, theta, **hyper):
    return step(loss, theta, **hyper | {"radius": 2 * hyper["radius"]})

def sgd(loss, theta, *, iterations, learning_rate, momentum, nesterov):
    path, v = [theta], 0
    for _ in range(iterations):
        f, g = loss(path[-1])
        v = momentum * v + g
        path.append(path[-1] - learning_rate * (g + momentum * v if nesterov else v))
    return path[1:]

def shy(loss, theta, **hyper):
    from rbo_ref.oracle import Skip
    if theta.shape[0] > 1:
        raise Skip("not written yet")
    return step(loss, theta, **hyper)

def forged(loss, theta, **hyper):
    raise ValueError(FORGED)

number = 3
"""


@pytest.fixture
def run(pytester, monkeypatch, pytestconfig):
    monkeypatch.syspath_prepend(str(ROOT))  # where the plugin is, if it is not installed
    monkeypatch.delitem(sys.modules, "mine", raising=False)
    pytester.makepyfile(mine=f"FORGED = {FORGED!r}\n{PORT}", test_other="def test_other(): pass")

    def run(*arguments):
        plugin = () if pytestconfig.pluginmanager.hasplugin("rbo-ref") else ("-p", "pytest_rbo_ref")
        return pytester.runpytest_inprocess("-p", "no:cacheprovider", *plugin, *arguments)

    return run


def test_without_a_port_nothing_happens(run):
    result = run()
    result.assert_outcomes(passed=1)
    result.stdout.no_fnmatch_line("rbo-ref: *")


IMPORTED = """
import sys
import pytest
status = pytest.main(["-q", "-p", "no:cacheprovider", *sys.argv[1:]])
heavy = [m for m in sys.modules if m.partition(".")[0] in ("rbo_ref", "geometry", "numpy", "scipy", "flint", "numba")]
sys.exit(int(status) or len(heavy))
"""


def test_without_a_port_nothing_is_imported(tmp_path):
    """Neither the package nor what it needs: coverage starts after plugins, and every run of pytest pays for them."""
    (tmp_path / "test_other.py").write_text("def test_other(): pass")
    ran = subprocess.run(
        [sys.executable, "-c", IMPORTED, "-p", "pytest_rbo_ref"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},  # other plugins import what they like
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_a_right_port(run):
    result = run("--rbo-port", "mine:step", "-m", "rbo", "-k", "1d or walk", "-v")
    counts = result.parseoutcomes()
    assert counts["passed"] > 5
    assert not {"failed", "errors"} & set(counts)
    result.stdout.fnmatch_lines(["mine:step::valley-1d-step PASSED*", "rbo-ref: suite *judgements*passed*skipped*"])


def test_a_wrong_port_is_diagnosed(run):
    result = run("--rbo-port", "mine:wrong", "-k", "valley-1d-step")
    result.assert_outcomes(failed=1, deselected=result.parseoutcomes()["deselected"])
    result.stdout.fnmatch_lines(["valley-1d-step: the new theta is wrong*", "diagnosis: diameter_for_radius: *"])
    result.stdout.no_fnmatch_line("*in runtest*")  # no traceback of the oracle's own


def test_what_the_port_skips_is_counted(run):
    result = run("--rbo-port", "mine:shy", "-k", "(valley-1d or plane) and step")
    assert {name: result.parseoutcomes()[name] for name in ("passed", "skipped")} == {"passed": 1, "skipped": 1}
    result.stdout.fnmatch_lines(["rbo-ref: suite * 1 passed, 1 skipped; INCOMPLETE: 1 skipped by the port"])


def test_other_tests_run_beside_it(run):
    run("--rbo-port", "mine.py:step", "-k", "test_other or plane-step").assert_outcomes(passed=2, deselected=None)


def test_options_are_passed_on(run):
    other = ("--rbo-optimizer", "gradient-descent", "--rbo-dtype", "float32", "--rbo-dialect", "paper")
    result = run("--rbo-port", "mine:sgd", *other, "-m", "rbo")
    assert set(result.parseoutcomes()) == {"passed", "deselected"}
    result.stdout.fnmatch_lines(["rbo-ref: suite * judgements, and 6 of drawn cases; * passed"])


def test_expected_failures(run, pytester):
    file = pytester.makefile(
        ".txt", known="# known\n\nvalley-1d-*  the radius is doubled # yet\nplane-* dead\nno-such-case gone"
    )
    result = run("--rbo-port", "mine:wrong", "--rbo-expected-failures", str(file), "-k", "valley-1d", "-rx")
    assert result.parseoutcomes().keys() >= {"xfailed", "skipped"}
    assert "failed" not in result.parseoutcomes()
    result.stdout.fnmatch_lines(
        ["rbo-ref: the expected failure 'no-such-case' matches no judgement", "*radius is doubled"]
    )
    result = run("--rbo-port", "mine:step", "--rbo-expected-failures", str(file), "-k", "valley-1d-step")
    result.assert_outcomes(failed=1, deselected=None)
    result.stdout.fnmatch_lines(["*XPASS(strict)*radius is doubled*"])


def test_no_words_of_a_port_are_shown_as_they_are(run, pytester):
    file = pytester.makefile(".txt", known=f"plane-step {FORGED[:4]}\nplane-[i]* {FORGED[:4]}\n{FORGED[:4]} gone")
    arguments = ["--rbo-port", "mine:forged", "--rbo-expected-failures", str(file), "-k", "plane or valley-1d", "-rA"]
    result = run(*arguments)
    assert result.parseoutcomes()["failed"] > 1
    only_shown(result.stdout.str(), ["rbo-ref: the expected failure ", "rbo-ref: suite 1"])
    only_shown(result.stderr.str())
    assert run(*arguments[:1], FORGED).ret == pytest.ExitCode.USAGE_ERROR


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--rbo-port", "mine:nothing"], "--rbo-port: mine has no attribute 'nothing'"),
        (["--rbo-port", "mine"], "--rbo-port: expected MODULE:ATTRIBUTE, got 'mine'"),
        (["--rbo-port", "nowhere:step"], "--rbo-port: cannot import nowhere: ModuleNotFoundError*"),
        (["--rbo-port", "mine:number"], "--rbo-port: mine:number is no port: a port must be callable, got int"),
        (["--rbo-port", "mine:step", "--rbo-dtype", "float8"], "--rbo-port: dtype must be one of *, got 'float8'"),
        (["--rbo-port", "mine:step", "--rbo-xp", "abacus"], "--rbo-port: abacus is not installed"),
        (["--rbo-port", "mine:step", "--rbo-dialect", "welsh"], "--rbo-port: dialect must be one of *"),
        (["--rbo-port", "mine:step", "--rbo-optimizer", "adamant"], "--rbo-port: optimizer must be one of *"),
        (["--rbo-port", "mine:step", "--rbo-expected-failures", "none.txt"], "cannot read none.txt: *"),
        (
            ["--rbo-port", "mine:step", "--rbo-expected-failures", "bare.txt"],
            "bare.txt, line 2: expected PATTERN REASON*",
        ),
        (["--rbo-expected-failures", "bare.txt"], "--rbo-expected-failures goes with --rbo-port"),
    ],
)
def test_what_cannot_run_is_a_sentence(run, pytester, arguments, sentence):
    pytester.makefile(".txt", bare="# comment\nplane-step\n")
    result = run(*arguments)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: {sentence}"])
    assert "Traceback" not in result.stdout.str() + result.stderr.str()
