"""Ports in C++ and JavaScript, as their users write them, are built and judged; wrong ones are told what is wrong."""

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from geometry.arithmetic.formats import format_of
from rbo_ref.oracle import ProgramPort, check, check_optimizer
from rbo_ref.oracle.protocol.messages import Numbers
from tests.rbo_ref.oracle.protocol.conversations import ROOT, conversations

PORTS = ROOT / "tests" / "ports"
COMPILER, NODE = shutil.which("g++"), shutil.which("node")
needs_compiler = pytest.mark.skipif(COMPILER is None, reason="g++ is not installed")
needs_node = pytest.mark.skipif(NODE is None, reason="Node.js is not installed")


def built(sources, folder):
    """The command of the C++ port with these sources."""
    program, warnings = folder / "port", ["-Wall", "-Wextra", "-Wpedantic", "-Werror"]
    subprocess.run([COMPILER, "-std=c++17", *warnings, "-o", program, sources / "main.cpp"], check=True)
    return [str(program)]


@pytest.fixture(scope="module")
def cpp(tmp_path_factory):
    return built(PORTS / "cpp", tmp_path_factory.mktemp("cpp"))


def javascript(sources=PORTS / "javascript"):
    return [NODE, str(sources / "main.mjs")]


def edited(language, name, old, new, folder):
    """A copy of the sources of a port with one line changed."""
    sources = Path(shutil.copytree(PORTS / language, folder / language))
    text = (sources / name).read_text()
    assert text.count(old) == 1
    (sources / name).write_text(text.replace(old, new))
    return sources


def judged(command, optimizer, **options):
    with ProgramPort(command, optimizer) as port:
        judge = check if optimizer == "rolling-ball" else check_optimizer
        return judge(port, **options) if judge is check else judge(port, optimizer, **options)


@needs_compiler
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("optimizer", ["rolling-ball", "adam"])
def test_the_port_in_cpp_is_right(cpp, optimizer, dtype):
    report = judged(cpp, optimizer, dtype=dtype)
    assert report.passed, report
    assert report.counts["skipped"] == 0


@needs_node
@pytest.mark.parametrize("optimizer", ["rolling-ball", "gradient-descent"])
def test_the_port_in_javascript_is_right(optimizer):
    report = judged(javascript(), optimizer)
    assert report.passed, report
    reasons = {result.message for result in report.results if result.verdict == "skipped"}
    assert reasons <= {"the port hands out no intermediates", "the port hands out no candidate"}


ENOUGH = {"rolling-ball": ["waves-3d*", "bowl-*", "crest-*", "slope-*"]}  # cases for a diagnosis
MISTAKES_IN_CPP = [
    ("rolling-ball", "theta[i] -= projection_rate", "theta[i] -= 2 * projection_rate", "dialect-full-contact"),
    ("adam", "+ epsilon)", ")", "epsilon_missing"),
]
MISTAKES_IN_JAVASCRIPT = [
    ("rolling-ball", "Math.sqrt(1 + square)", "Math.sqrt(square)", "normal_missing_one"),
    ("rolling-ball", "let position = theta;", "let position = goal;", "dialect-half-candidate"),
    ("rolling-ball", "k < this.projectionSteps", "k < this.projectionSteps - 1", "one_step_too_few"),
    ("rolling-ball", "- lift * gradient[i] -", "+ lift * gradient[i] -", "normal_gradient_sign"),
    ("gradient-descent", "g + this.momentum * this.velocity[i]", "this.velocity[i]", "nesterov_ignored"),
]


@needs_compiler
@pytest.mark.parametrize(("optimizer", "old", "new", "name"), MISTAKES_IN_CPP, ids=[m[-1] for m in MISTAKES_IN_CPP])
def test_a_mistake_in_cpp_is_named(optimizer, old, new, name, tmp_path):
    report = judged(
        built(edited("cpp", "optimizers.hpp", old, new, tmp_path), tmp_path), optimizer, cases=ENOUGH.get(optimizer)
    )
    assert not report.passed
    assert report.diagnosis.name == name, report


@needs_node
@pytest.mark.parametrize(
    ("optimizer", "old", "new", "name"), MISTAKES_IN_JAVASCRIPT, ids=[m[-1] for m in MISTAKES_IN_JAVASCRIPT]
)
def test_a_mistake_in_javascript_is_named(optimizer, old, new, name, tmp_path):
    report = judged(
        javascript(edited("javascript", "optimizers.mjs", old, new, tmp_path)), optimizer, cases=ENOUGH.get(optimizer)
    )
    assert not report.passed
    assert report.diagnosis.name == name, report


@needs_node
def test_an_error_in_javascript_is_quoted(tmp_path):
    sources = edited("javascript", "optimizers.mjs", "const drop = value", "const drop = undefined_name", tmp_path)
    report = judged(javascript(sources), "rolling-ball", cases="plane")
    message = "answered with an error: ReferenceError: undefined_name is not defined"
    assert {failure.message for failure in report.failures} == {message}


@needs_compiler
def test_an_exception_in_cpp_is_quoted(tmp_path):
    sources = edited("cpp", "main.cpp", 'hyper["radius"]', 'hyper["rho"]', tmp_path)
    report = judged(built(sources, tmp_path), "rolling-ball", cases="plane")
    (message,) = {failure.message for failure in report.failures}
    assert message.startswith("was killed by SIGABRT; its last words: ")
    assert "what()" in message


def said_by(command, conversation):
    """What a port says when it hears the oracle's part of a conversation."""
    heard = "".join(line + "\n" for direction, line in conversation if direction == ">")
    run = subprocess.run(command, input=heard, capture_output=True, text=True, check=True, timeout=60)
    return [json.loads(line) for line in run.stdout.splitlines()]


@pytest.mark.parametrize("number", [pytest.param(0, marks=needs_node), pytest.param(1, marks=needs_compiler)])
def test_the_ports_say_what_is_on_the_page(number, request):
    """The conversations of the page, in JavaScript and in C++, but for what rounding may do on another machine."""
    conversation = conversations()[number]
    command = javascript() if number == 0 else request.getfixturevalue("cpp")
    said = said_by(command, conversation)
    expected = [json.loads(line) for direction, line in conversation if direction == "<"]
    read = Numbers(format_of("float64"), expected[0].get("numbers", "bits")).read
    assert said[0]["dtypes"] == expected[0]["dtypes"]
    for one, other in zip(said[1:], expected[1:], strict=True):
        (key,) = other.keys() - {"id"}
        np.testing.assert_allclose(read(one[key]), read(other[key]), rtol=1e-14)
