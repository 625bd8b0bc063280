"""What an editor is told: every public name, with the parameters that it has, and a result of the array's own kind."""

from __future__ import annotations

import ast
import inspect
import os
import subprocess
import sys
from pathlib import Path

import pytest

import geometry

STUB = Path(geometry.__file__).with_suffix(".pyi")
TREE = ast.parse(STUB.read_text(encoding="utf-8"))
FUNCTIONS = [node for node in TREE.body if isinstance(node, ast.FunctionDef)]
DILATION = next(node for node in TREE.body if isinstance(node, ast.ClassDef) and node.name == "Dilation")
RESULTS = [n for n in TREE.body if isinstance(n, ast.ClassDef) and n.name in geometry.__all__]
told = {
    *(node.name for node in TREE.body if isinstance(node, ast.FunctionDef | ast.ClassDef)),
    *(alias.asname for node in TREE.body if isinstance(node, ast.ImportFrom) for alias in node.names),
    *(node.target.id for node in TREE.body if isinstance(node, ast.AnnAssign)),
}


def test_every_public_name_is_told():
    assert {*geometry.__all__, "certified"} - told == set()


def parameters(node):
    arguments = node.args
    plain = [a.arg for a in arguments.args if a.arg != "self"]
    optional = plain[len(plain) - len(arguments.defaults) :]
    named = {a.arg: default is None for a, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)}
    return plain, optional, named


@pytest.mark.parametrize("node", FUNCTIONS, ids=lambda node: node.name)
def test_the_parameters_are_those_of_the_function(node):
    plain, optional, named = parameters(node)
    real = inspect.signature(getattr(geometry, node.name)).parameters.values()
    assert plain == [p.name for p in real if p.kind is p.POSITIONAL_OR_KEYWORD]
    assert optional == [p.name for p in real if p.kind is p.POSITIONAL_OR_KEYWORD and p.default is not p.empty]
    assert list(named) == [p.name for p in real if p.kind is p.KEYWORD_ONLY]


@pytest.mark.parametrize("verb", ["dilate", "erode", "opening", "closing"])
@pytest.mark.parametrize("node", DILATION.body, ids=["heights", "heights and contacts"])
def test_the_parameters_of_dilations(node, verb):
    plain, _, named = parameters(node)
    assert plain + list(named) == list(inspect.signature(getattr(geometry, verb)).parameters)


@pytest.mark.parametrize("node", RESULTS, ids=lambda node: node.name)
def test_results_have_the_attributes_that_are_told(node):
    kind = getattr(geometry, node.name)
    names = {n.target.id if isinstance(n, ast.AnnAssign) else n.name for n in node.body}
    if hasattr(kind, "_fields"):
        assert names == set(kind._fields)
    else:
        wave = geometry.FunctionGraph(lambda t: t[..., 0] ** 2)
        found = geometry.project(wave, [[0.0, 0.25]])
        assert {name for name in names if not hasattr(found, name)} == set()
        assert {name for name in dir(kind) if not name.startswith("_")} - names <= {"tree_flatten", "tree_unflatten"}


SCRIPT = """
from typing import Any
from geometry import *
class Tensor:
    shape: Any
    dtype: Any
t, s, c = Tensor(), FunctionGraph(abs), LevelSet(abs)
reveal_type(project(s, t))
reveal_type(project(s, t).distance)
reveal_type(project_and_jacobian(s, t)[1])
reveal_type(distance(s, t))
reveal_type(signed_distance(s, t))
reveal_type(distance_gradient(s, t))
reveal_type(offset(s, t, 1.0))
reveal_type(offset_function(s, t, 1.0))
reveal_type(medial_radius(s, t, side="below"))
reveal_type(reachable(s, t, 1.0))
reveal_type(reach(s, t).value)
reveal_type(bottleneck(c, t).points)
reveal_type(medial_axis(s, t).radii)
reveal_type(critical_radius(s, t))
reveal_type(dilate(t, 1.0))
reveal_type(erode(t, 1.0, return_contact=True)[0])
reveal_type(opening(t, 1.0, boundary="periodic"))
reveal_type(closing(t, 1.0, nan="omit"))
reveal_type(reachable_samples(t, 1.0))
reveal_type(free_of_ends(t, 1.0))
reveal_type(rolling_ball(t))
reveal_type(reach_from_points(t, per_point=True))
reveal_type(upward_normal(t))
reveal_type(steepest_tangent(t))
reveal_type(shape_matrix(t, t))
"""
WRONG = """
distance(s, [0.0, 1.0])
reach_from_points([[0.0, 1.0]]).hex()
reach(s, [(0, 1)], side="up")
medial_radius(s, t, side="both")
dilate(t, 1.0, boundary="wrap")
dilate(t, 1.0, nan="skip")
rolling_ball(t, 5.0, chanel_axis=0)
"""


def test_mypy_reads_it(tmp_path):
    """The stub alone, beside nothing: all else that it imports is any type to it."""
    pytest.importorskip("mypy")
    package = tmp_path / "geometry"
    package.mkdir()
    (package / "__init__.pyi").write_bytes(STUB.read_bytes())
    (tmp_path / "script.py").write_text(SCRIPT + WRONG)
    options = ["--follow-imports=skip", "--ignore-missing-imports", "--cache-dir", os.devnull, "--no-error-summary"]
    run = subprocess.run(
        [sys.executable, "-m", "mypy", *options, "geometry", "script.py"], cwd=tmp_path, capture_output=True, text=True
    )
    notes = [line for line in run.stdout.splitlines() if "Revealed type" in line]
    assert len(notes) == SCRIPT.count("reveal_type")
    assert notes[0].endswith('"geometry.Footpoints[script.Tensor]"')
    assert {line.rpartition("is ")[2] for line in notes[1:]} == {'"script.Tensor"'}
    lines = [line.split(":") for line in run.stdout.splitlines() if line.startswith("script.py") and ": error:" in line]
    errors = {int(line[1]) for line in lines}
    first = SCRIPT.count("\n") + 4  # of the wrong calls; those before it are right
    assert errors == set(range(first, first + 5)), run.stdout


def test_it_is_shipped():
    assert STUB.is_file()
    assert (STUB.parent / "py.typed").is_file()
